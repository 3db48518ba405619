"""Test users of the local cloud's Cognito pool."""

import secrets
from typing import Any

from local.deploy import Stack

PLAIN = ("alice", "bob")
MEMBER = "olga"
"""The user in every group of the pool, such as the operators."""


def create(cognito: Any, stack: Stack) -> dict[str, dict[str, str]]:
    """Set a new password for every test user, creating missing ones; return user -> sign-in data, {} without a pool."""
    pools = stack.of_kind("AWS::Cognito::UserPool")
    clients = stack.of_kind("AWS::Cognito::UserPoolClient")
    if not pools or not clients:
        return {}
    pool, client = pools[0].physical, clients[0].physical
    made = {name: _create(cognito, pool, client, name) for name in (*PLAIN, MEMBER)}
    for group in cognito.list_groups(UserPoolId=pool)["Groups"]:
        username = made[MEMBER]["username"]
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName=group["GroupName"])
    return made


def _create(cognito: Any, pool: str, client: str, name: str) -> dict[str, str]:
    username = f"{name}@example.com"
    password = f"Aa1!{secrets.token_urlsafe(12)}"
    known = {user["Username"] for user in cognito.list_users(UserPoolId=pool)["Users"]}
    emails = {
        attribute["Value"]
        for user in cognito.list_users(UserPoolId=pool)["Users"]
        for attribute in user["Attributes"]
        if attribute["Name"] == "email"
    }
    if username not in known | emails:
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=username,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": username}, {"Name": "email_verified", "Value": "true"}],
        )
    cognito.admin_set_user_password(UserPoolId=pool, Username=username, Password=password, Permanent=True)
    return {"username": username, "password": password, "client_id": client, "user_pool_id": pool}
