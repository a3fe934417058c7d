//! The header `Stripe-Signature` (<https://docs.stripe.com/webhooks#verify-manually>).

use ring::hmac;

/// The value of the header for a body that is sent at a Unix second.
pub fn webhook_signature(secret: &str, second: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{second}.{body}").as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={second},v1={tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calculated with `printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_a`.
    #[test]
    fn the_signature_is_that_of_openssl() {
        assert_eq!(
            webhook_signature("whsec_a", 1_700_000_000, "{}"),
            "t=1700000000,v1=04339dc4f01d6541e8d3b7e4bd93cd2d4f680ccb28592270900b08e49cc09e57"
        );
    }
}
