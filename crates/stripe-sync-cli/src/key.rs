//! The API key: from a variable, or from the file that a variable names. No message contains it.

use std::fs::File;
use std::io::Read as _;

use stripe_sync::ApiKey;

use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::number;

const VARIABLES: [&str; 2] = ["STRIPE_SECRET_KEY", "STRIPE_API_KEY"];
const FILE_VARIABLE: &str = "STRIPE_SECRET_KEY_FILE";
const GET_A_KEY: &str = "set STRIPE_SECRET_KEY to a secret key (sk_...) or a restricted key \
                         (rk_...) from https://dashboard.stripe.com/apikeys";

/// The largest file that is read; a key has about 110 bytes.
const MAX_BYTES: u64 = 4_096;

/// Whether any of the variables is set.
pub(crate) fn is_given(env: &Environment) -> bool {
    VARIABLES.iter().chain([&FILE_VARIABLE]).any(|name| env.get(name).is_some())
}

/// The key. Several variables may be set if they contain the same key.
///
/// # Errors
/// No key is set, the keys differ, the file cannot be read, or the text is not a key.
pub(crate) fn resolve(env: &Environment) -> Result<ApiKey, Failure> {
    let from_file = env.get(FILE_VARIABLE).map(read).transpose()?;
    let from_variables = VARIABLES.iter().filter_map(|name| Some((*name, env.get(name)?)));
    let given: Vec<(&str, &str)> =
        from_variables.chain(from_file.as_deref().map(|text| (FILE_VARIABLE, text))).collect();
    let Some(((name, text), others)) = given.split_first() else {
        return Err(Failure::usage("no Stripe API key is set").with_hint(GET_A_KEY));
    };
    if let Some((other, _)) = others.iter().find(|(_, other)| other.trim() != text.trim()) {
        return Err(Failure::usage(format!("{name} and {other} are both set, to different keys"))
            .with_hint("unset one of them"));
    }
    ApiKey::parse(text).map_err(|error| Failure::split_hint(Exit::Usage, &error).in_setting(name))
}

/// The trimmed content of a file.
fn read(path: &str) -> Result<String, Failure> {
    let failure = |message: String| {
        Failure::usage(message)
            .in_setting(FILE_VARIABLE)
            .with_hint("the file must contain the key (sk_... or rk_...) and nothing else")
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| failure(format!("cannot read {path}")).caused_by(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        let max = number::quantity(MAX_BYTES as i64, "byte");
        return Err(failure(format!("{path} is larger than {max}")));
    }
    let text = String::from_utf8(bytes).map_err(|_| failure(format!("{path} is not UTF-8")))?;
    match text.trim() {
        "" => Err(failure(format!("{path} is empty"))),
        key => Ok(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment;

    #[test]
    fn the_key_comes_from_either_variable_unless_they_differ() {
        let key =
            |pairs: &[(&str, &str)]| resolve(&environment::from_pairs(pairs)).map(|k| k.hint());
        let (secret, api) =
            (("STRIPE_SECRET_KEY", "sk_test_123 "), ("STRIPE_API_KEY", "sk_test_123"));
        for pairs in [&[secret][..], &[api], &[secret, api]] {
            assert_eq!(key(pairs).expect("a key"), "sk_test_...");
        }
        assert!(key(&[secret, ("STRIPE_API_KEY", "sk_test_124")]).is_err());
        assert!(key(&[]).is_err());
    }
}
