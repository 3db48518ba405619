"""A chat over a socket: CHAT_DELTA as the words arise, CHAT_RESTART where a provider failed, CHAT_DONE at the end."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from chalicelib.concerts.conversation import ChatReply, ChatRequest, Conversation, Delta
from chalicelib.errors import Gone

Send = Callable[[Mapping[str, Any]], object]
"""Puts one message to the client; Gone where it has left."""


class ChatMessage(ChatRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chat request as it comes over a socket."""

    action: Literal["chat"]


def stream_chat(conversation: Conversation, request: ChatRequest, send: Send) -> None:
    """Answer `request` through `send`; each message carries its `sequence`, the first is 0.

    Stops when the client has left. Raises what `Conversation.stream` raises.
    """
    for sequence, event in enumerate(conversation.stream(request)):
        if isinstance(event, Delta):
            message: dict[str, Any] = {"action": "CHAT_DELTA", "text": event.text}
        elif isinstance(event, ChatReply):
            message = {"action": "CHAT_DONE", "reply": msgspec.to_builtins(event)}
        else:
            message = {"action": "CHAT_RESTART", "reason": event.reason}
        try:
            send({**message, "sequence": sequence})
        except Gone:
            return
