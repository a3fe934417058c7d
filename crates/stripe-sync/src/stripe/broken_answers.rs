//! What the client makes of broken answers.
