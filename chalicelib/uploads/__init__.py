"""Upload sessions: a QR code on the desktop, a photo from the phone, word of it over the desktop's socket."""
