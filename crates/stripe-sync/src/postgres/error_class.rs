//! Classifies SQLSTATEs. The class decides whether an operation is retried. Message texts are only
//! examined for connection errors of poolers, which use one SQLSTATE for everything.

use tokio_postgres::error::DbError;

/// How an error is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// No server responds, the connection was lost, or the server is starting or stopping: wait and
    /// retry.
    Unreachable,
    /// A time limit of the server ended the statement, or a pooler currently cannot serve it: wait
    /// and retry.
    Transient,
    /// A deadlock or a serialization failure: repeat the transaction immediately.
    Conflict,
    /// The server rejects the values of one row: that row is quarantined.
    RowRefused,
    /// The disk or another resource of the server is exhausted.
    ResourceExhausted,
    /// The user lacks a privilege.
    PermissionDenied,
    /// The database is read-only or in recovery.
    ReadOnly,
    /// The password, user or database is wrong, or this database cannot hold a copy.
    Rejected,
    /// The server reports an internal error. Some occur once, such as those of a managed server's
    /// storage: wait and retry for a short time.
    ServerInternal,
    /// Anything else: a defect of the engine or of the database.
    Other,
}

impl ErrorClass {
    /// The stable name of the class for programs.
    pub(crate) fn code_name(self) -> &'static str {
        match self {
            ErrorClass::Unreachable => "database_unreachable",
            ErrorClass::Transient => "database_transient",
            ErrorClass::Conflict => "database_conflict",
            ErrorClass::RowRefused => "database_row_refused",
            ErrorClass::ResourceExhausted => "database_resource_exhausted",
            ErrorClass::PermissionDenied => "database_permission_denied",
            ErrorClass::ReadOnly => "database_read_only",
            ErrorClass::Rejected => "database_rejected",
            ErrorClass::ServerInternal | ErrorClass::Other => "database_error",
        }
    }
}

/// Who reported an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reporter {
    Server,
    Pooler,
}

impl Reporter {
    /// Every error that a server reports names a place in the server's source code; errors from
    /// poolers do not. <https://www.postgresql.org/docs/current/protocol-error-fields.html>
    pub(super) fn of(error: &DbError) -> Reporter {
        match error.file().is_none() && error.routine().is_none() {
            true => Reporter::Pooler,
            false => Reporter::Server,
        }
    }
}

/// The class of an SQLSTATE.
pub(super) fn classify(code: &str, reporter: Reporter) -> ErrorClass {
    match code {
        "25P03" | "55P03" | "57014" | "57P05" => ErrorClass::Transient,
        // PgBouncer uses 08P01 for everything, Supavisor and Neon's proxy XX000, PgCat 58000.
        "08P01" | "58000" | "XX000" if reporter == Reporter::Pooler => ErrorClass::Transient,
        "08P01" | "XX000" => ErrorClass::ServerInternal,
        "40001" | "40P01" => ErrorClass::Conflict,
        "25006" => ErrorClass::ReadOnly,
        "42501" => ErrorClass::PermissionDenied,
        "53300" | "57P01" | "57P02" | "57P03" => ErrorClass::Unreachable,
        "3D000" | "3F000" => ErrorClass::Rejected,
        _ => match &code[..code.len().min(2)] {
            "08" => ErrorClass::Unreachable,
            "22" | "23" | "54" => ErrorClass::RowRefused,
            "28" => ErrorClass::Rejected,
            "53" | "58" => ErrorClass::ResourceExhausted,
            _ => ErrorClass::Other,
        },
    }
}

/// Whether only a function of the user, such as that of a trigger, reports this SQLSTATE: what
/// PL/pgSQL raises, errors of external routines, and classes that PostgreSQL does not define
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
pub(super) fn is_raised_by_user(code: &str) -> bool {
    const SERVER: [&str; 41] = [
        "00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21",
        "22", "23", "24", "25", "26", "27", "28", "2B", "2D", "2F", "34", "3B", "3D", "3F", "40",
        "42", "44", "53", "54", "55", "57", "58", "72", "F0", "HV", "XX",
    ];
    !SERVER.contains(&&code[..code.len().min(2)])
}

/// The class of an error while connecting: a pooler's error can be about the URL instead of its
/// server.
pub(super) fn classify_connecting(code: &str, reporter: Reporter, message: &str) -> ErrorClass {
    /// Messages of PgBouncer, Supavisor and Neon's proxy for a URL that they never accept.
    const ABOUT_THE_URL: [&str; 8] = [
        "unsupported startup parameter",
        "no such database",
        "no such user",
        "not found",
        "does not exist",
        "authentication failed",
        "wrong password",
        "ssl required",
    ];
    let class = classify(code, reporter);
    let message = message.to_ascii_lowercase();
    match reporter == Reporter::Pooler
        && class == ErrorClass::Transient
        && ABOUT_THE_URL.iter().any(|text| message.contains(text))
    {
        true => ErrorClass::Other,
        false => class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sqlstate_has_its_class() {
        for (code, expected) in [
            ("40001", ErrorClass::Conflict),
            ("40P01", ErrorClass::Conflict),
            ("22P05", ErrorClass::RowRefused),
            ("22003", ErrorClass::RowRefused),
            ("54001", ErrorClass::RowRefused),
            ("23502", ErrorClass::RowRefused),
            ("53100", ErrorClass::ResourceExhausted),
            ("53300", ErrorClass::Unreachable),
            ("57P01", ErrorClass::Unreachable),
            ("08006", ErrorClass::Unreachable),
            ("25006", ErrorClass::ReadOnly),
            ("42501", ErrorClass::PermissionDenied),
            ("28P01", ErrorClass::Rejected),
            ("3D000", ErrorClass::Rejected),
            ("42P01", ErrorClass::Other),
            ("25P03", ErrorClass::Transient),
            ("55P03", ErrorClass::Transient),
            ("57014", ErrorClass::Transient),
            ("57P05", ErrorClass::Transient),
            ("57P04", ErrorClass::Other),
            ("08P01", ErrorClass::ServerInternal),
            ("XX000", ErrorClass::ServerInternal),
            ("XX001", ErrorClass::Other),
            ("58000", ErrorClass::ResourceExhausted),
        ] {
            assert_eq!(classify(code, Reporter::Server), expected, "{code}");
        }
    }

    #[test]
    fn errors_of_the_users_functions_are_recognized() {
        for code in ["P0001", "P0004", "38000", "39001", "ZZ123", "U0001"] {
            assert!(is_raised_by_user(code), "{code}");
        }
        for code in ["42P01", "42703", "53100", "57014", "08P01", "XX000", "40001", "22012"] {
            assert!(!is_raised_by_user(code), "{code}");
        }
    }

    #[test]
    fn pooler_errors_during_a_query_have_their_class() {
        for (code, expected) in [
            ("08P01", ErrorClass::Transient),
            ("XX000", ErrorClass::Transient),
            ("58000", ErrorClass::Transient),
            ("57P05", ErrorClass::Transient),
            ("08006", ErrorClass::Unreachable),
            ("53300", ErrorClass::Unreachable),
            ("28P01", ErrorClass::Rejected),
            ("XX001", ErrorClass::Other),
        ] {
            assert_eq!(classify(code, Reporter::Pooler), expected, "{code}");
        }
    }

    #[test]
    fn pooler_errors_while_connecting_are_transient_unless_the_url_is_wrong() {
        for (code, message, expected) in [
            ("08P01", "server login failed: FATAL the database system is starting up", true),
            ("08P01", "server login has been failing, cached error: connect failed", true),
            ("08P01", "no more connections allowed (max_client_conn)", true),
            ("08P01", "pgbouncer cannot connect to server", true),
            ("08P01", "query_wait_timeout", true),
            ("XX000", "Max client connections reached", true),
            ("XX000", "(EMAXCONNSESSION) max clients reached in session mode", true),
            ("XX000", "Unable to check out process from the pool due to timeout", true),
            ("XX000", "Couldn't connect to compute node", true),
            ("08P01", "unsupported startup parameter: options", false),
            ("08P01", "no such database: x", false),
            ("08P01", "SASL authentication failed", false),
            ("08P01", "server login failed: FATAL password authentication failed", false),
            ("XX000", "Tenant or user not found", false),
            ("XX000", "Authentication error, reason: \"Wrong password\"", false),
        ] {
            let expected = if expected { ErrorClass::Transient } else { ErrorClass::Other };
            let found = classify_connecting(code, Reporter::Pooler, message);
            assert_eq!(found, expected, "{message}");
        }
        let refused = classify_connecting("28P01", Reporter::Pooler, "wrong password");
        assert_eq!(refused, ErrorClass::Rejected);
    }

    #[test]
    fn code_names_are_stable() {
        for (class, name) in [
            (ErrorClass::Unreachable, "database_unreachable"),
            (ErrorClass::Transient, "database_transient"),
            (ErrorClass::ServerInternal, "database_error"),
            (ErrorClass::Conflict, "database_conflict"),
            (ErrorClass::RowRefused, "database_row_refused"),
            (ErrorClass::ResourceExhausted, "database_resource_exhausted"),
            (ErrorClass::PermissionDenied, "database_permission_denied"),
            (ErrorClass::ReadOnly, "database_read_only"),
            (ErrorClass::Rejected, "database_rejected"),
            (ErrorClass::Other, "database_error"),
        ] {
            assert_eq!(class.code_name(), name);
        }
    }
}
