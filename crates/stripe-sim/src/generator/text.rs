//! Generated names, addresses and descriptions. E-mail addresses use domains reserved for examples.

use crate::json;
use crate::seed::mix;

const FIRST_NAMES: [&str; 24] = [
    "Jenny", "Ada", "Grace", "Linus", "Zoë", "Jürgen", "Björk", "José", "Mei", "Ngozi", "Olu",
    "Priya", "Søren", "Tomás", "Yuki", "Ines", "Kofi", "Lena", "Marek", "Noor", "Paula", "Ravi",
    "Sana", "Wim",
];
const LAST_NAMES: [&str; 24] = [
    "Rosen",
    "Lovelace",
    "Hopper",
    "Müller",
    "García",
    "O'Neil",
    "Okafor",
    "Nakamura",
    "Ångström",
    "Silva",
    "Kowalski",
    "Nguyen",
    "Smith",
    "Jansen",
    "Rossi",
    "Dubois",
    "Haddad",
    "Ivanova",
    "Kim",
    "Larsen",
    "Mensah",
    "Novak",
    "Patel",
    "Quinn",
];
/// City, state, postal code and country.
const CITIES: [(&str, &str, &str, &str); 8] = [
    ("San Francisco", "CA", "94111", "US"),
    ("New York", "NY", "10001", "US"),
    ("Berlin", "BE", "10115", "DE"),
    ("Paris", "75", "75001", "FR"),
    ("東京", "13", "100-0001", "JP"),
    ("São Paulo", "SP", "01000-000", "BR"),
    ("London", "", "EC1A 1BB", "GB"),
    ("Sydney", "NSW", "2000", "AU"),
];
const WORDS: [&str; 32] = [
    "starter",
    "team",
    "business",
    "annual",
    "monthly",
    "premium",
    "basic",
    "seat",
    "storage",
    "support",
    "onboarding",
    "report",
    "sync",
    "gateway",
    "widget",
    "ledger",
    "harbour",
    "meadow",
    "copper",
    "cotton",
    "silver",
    "studio",
    "quarterly",
    "bundle",
    "license",
    "token",
    "addon",
    "upgrade",
    "renewal",
    "training",
    "export",
    "archive",
];

fn word(hash: u64) -> &'static str {
    WORDS[(hash % 32) as usize]
}

/// Appends two or three words as a JSON string.
pub(crate) fn phrase(out: &mut String, hash: u64) {
    out.push('"');
    out.push_str(word(hash));
    out.push(' ');
    out.push_str(word(hash >> 8));
    if hash & 0x1_0000 != 0 {
        out.push(' ');
        out.push_str(word(hash >> 20));
    }
    out.push('"');
}

/// Appends a prefix and 16 hexadecimal digits as a JSON string.
pub(crate) fn token(out: &mut String, prefix: &str, hash: u64) {
    out.push('"');
    out.push_str(prefix);
    hex(out, hash);
    out.push('"');
}

/// Appends 16 hexadecimal digits.
pub(crate) fn hex(out: &mut String, hash: u64) {
    for shift in (0..16).rev() {
        out.push(char::from_digit((hash >> (shift * 4)) as u32 & 15, 16).unwrap_or('0'));
    }
}

/// Appends the name of a person, without quotes.
pub(crate) fn name(out: &mut String, hash: u64) {
    out.push_str(FIRST_NAMES[(hash % 24) as usize]);
    out.push(' ');
    out.push_str(LAST_NAMES[(hash / 24 % 24) as usize]);
}

/// Appends an e-mail address, without quotes. `number` makes it unique.
pub(crate) fn email(out: &mut String, hash: u64, number: u64) {
    out.push_str(["jenny", "ada", "grace", "billing", "accounts", "hello"][(hash % 6) as usize]);
    out.push('.');
    json::int(out, number as i64);
    out.push_str(["@example.com", "@example.org", "@mail.example.net"][(hash / 6 % 3) as usize]);
}

/// Appends a postal address as a JSON object.
pub(crate) fn address(out: &mut String, hash: u64) {
    let (city, state, postal_code, country) = CITIES[(hash % 8) as usize];
    out.push_str("{\"city\":\"");
    out.push_str(city);
    out.push_str("\",\"country\":\"");
    out.push_str(country);
    out.push_str("\",\"line1\":\"");
    json::int(out, (hash >> 9) as i64 % 2_000 + 1);
    out.push(' ');
    out.push_str(LAST_NAMES[(hash >> 20) as usize % 24]);
    out.push_str(" Street\",\"line2\":");
    out.push_str(if hash & 0x100 == 0 { "null" } else { "\"Apt 4\"" });
    out.push_str(",\"postal_code\":\"");
    out.push_str(postal_code);
    out.push_str("\",\"state\":");
    if state.is_empty() {
        out.push_str("null}");
    } else {
        out.push('"');
        out.push_str(state);
        out.push_str("\"}");
    }
}

/// Appends metadata with up to four entries.
pub(crate) fn metadata(out: &mut String, hash: u64) {
    out.push('{');
    for i in 0..hash % 5 {
        let draw = mix(hash ^ i);
        if i > 0 {
            out.push(',');
        }
        out.push_str(["\"order_id\":", "\"plan\":", "\"user\":", "\"note\":"][i as usize]);
        match i {
            0 => token(out, "", draw),
            1 => phrase(out, draw),
            2 => json::string(out, &(draw % 1_000_000).to_string()),
            _ => out.push_str("\"line one\\nline \\\"two\\\", été 💶\""),
        }
    }
    out.push('}');
}
