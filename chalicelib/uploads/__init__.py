"""Upload sessions: a QR code on the desktop, a photo from the phone, a notification over the desktop's socket."""
