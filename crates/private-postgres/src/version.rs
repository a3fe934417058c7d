//! PostgreSQL versions: which are supported, and how `postgres --version` names them.

/// The oldest supported major version.
pub const OLDEST_MAJOR: u32 = 14;

/// Reads the major version from the output of `postgres --version`, such as
/// `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)` or `postgres (PostgreSQL) 18beta1`.
pub(crate) fn parse_major(output: &str) -> Option<u32> {
    let version = output.split("(PostgreSQL) ").nth(1)?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_betas_and_distribution_packages_are_parsed() {
        let debian = "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n";
        assert_eq!(parse_major(debian), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_major("bash: no such file"), None);
    }
}
