//! Classifies SQLSTATEs. The class decides whether an operation is retried; message texts are never
//! looked at.

/// How an error is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// There is no server, the connection was lost, or the server is starting or stopping: wait and
    /// retry.
    Unreachable,
    /// A deadlock or a serialization failure: repeat the transaction at once.
    Conflict,
    /// The server refuses the values of one row: that row is quarantined.
    RowRefused,
    /// The disk or another resource of the server is exhausted.
    ResourceExhausted,
    /// The user lacks a privilege.
    PermissionDenied,
    /// The database is read-only or in recovery.
    ReadOnly,
    /// The password, user or database is wrong, or this database cannot hold a copy.
    Rejected,
    /// Anything else: a defect of the engine or of the database.
    Other,
}

impl ErrorClass {
    /// The stable name of the class for programs.
    pub(crate) fn code_name(self) -> &'static str {
        match self {
            ErrorClass::Unreachable => "database_unreachable",
            ErrorClass::Conflict => "database_conflict",
            ErrorClass::RowRefused => "database_row_refused",
            ErrorClass::ResourceExhausted => "database_resource_exhausted",
            ErrorClass::PermissionDenied => "database_permission_denied",
            ErrorClass::ReadOnly => "database_read_only",
            ErrorClass::Rejected => "database_rejected",
            ErrorClass::Other => "database_error",
        }
    }
}

/// The class of an SQLSTATE.
pub(super) fn classify(code: &str) -> ErrorClass {
    match code {
        "40001" | "40P01" => ErrorClass::Conflict,
        "25006" => ErrorClass::ReadOnly,
        "42501" => ErrorClass::PermissionDenied,
        // A protocol violation: sending the same message again cannot help.
        "08P01" => ErrorClass::Other,
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
            ("08P01", ErrorClass::Other),
            ("XX000", ErrorClass::Other),
        ] {
            assert_eq!(classify(code), expected, "{code}");
        }
    }

    #[test]
    fn code_names_are_stable() {
        for (class, name) in [
            (ErrorClass::Unreachable, "database_unreachable"),
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
