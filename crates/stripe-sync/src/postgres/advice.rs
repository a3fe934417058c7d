//! What a person can do about a refusal of the database, by its SQLSTATE; without one, by what the
//! system or the driver said.

use super::error::causes;
use super::error_class::ErrorClass;

const DENIED: &str = "the user needs `create` on the database for the first migration, and then owns what it made; \
     stripe-sync check says what is missing and what to grant";

/// For a refusal at the door.
pub(super) const NO_ENTRY: &str =
    "the database's owner has to let the user in: grant connect on database NAME to USER";

/// For an answer of the server.
pub(super) fn by_sqlstate(code: &str, class: ErrorClass) -> Option<&'static str> {
    Some(match code {
        "08P01" => {
            "if a pooler stands between: it may refuse what the url sets (options=...); take that \
             out, or add it to the pooler's ignore_startup_parameters"
        }
        "28P01" => {
            "correct the user and the password in DATABASE_URL; characters such as @ : / # % \
                    stand in a password as %40 %3A %2F %23 %25"
        }
        "28000" => {
            "name a user in DATABASE_URL whom the server lets in from here; its pg_hba.conf \
                    and `create role` decide that"
        }
        "3D000" => {
            "make the database first (createdb --encoding=UTF8 --template=template0 NAME), \
                    or correct its name in DATABASE_URL"
        }
        "55000" if class == ErrorClass::Other => {
            "the server does not allow that for this database; set DATABASE_URL to another one"
        }
        "25P03" => {
            "idle_in_transaction_session_timeout is too short; raise it for this user: alter role \
             NAME set idle_in_transaction_session_timeout = 0"
        }
        "57014" => {
            "a statement_timeout of the database or its user is too short, or somebody cancelled \
             it; raise it for this user: alter role NAME set statement_timeout = 0"
        }
        "55P03" => {
            "somebody holds a lock on the tables, and lock_timeout is short: try again when they \
             are done"
        }
        "42P01" | "42703" | "3F000" => {
            "tables or columns of the copy were dropped or renamed: `stripe-sync migrate` adds \
             what is missing"
        }
        "42804" | "42883" | "42P10" | "42809" => {
            "tables of the copy were changed by hand: put back the type or the key, or give \
             another --schema"
        }
        "42P07" | "42710" => {
            "something else has a name that stripe-sync needs: rename it, or give another --schema \
             or --table-prefix"
        }
        "53100" => "free disk space on the database server",
        "53200" => {
            "the server is out of memory: give it more, or --max-connections a smaller \
                    number"
        }
        "53300" => {
            "all connections that the server allows are taken: close some, raise its limit, \
                    or give --max-connections a smaller number"
        }
        "53400" => "a limit of the server's configuration is reached; raise it",
        "57P03" => "the server is starting or stopping; try again in a moment",
        "25006" => {
            "the server, the database or the user is read-only; set DATABASE_URL to a primary \
                    server that may be written to"
        }
        _ => return by_trouble(class),
    })
}

fn by_trouble(class: ErrorClass) -> Option<&'static str> {
    match class {
        ErrorClass::Unreachable => {
            Some("check that the server runs and that DATABASE_URL names its host and port")
        }
        ErrorClass::ResourceExhausted => Some(
            "the server cannot write: look at its disk and its log, then run the same command \
                  again",
        ),
        ErrorClass::PermissionDenied => Some(DENIED),
        ErrorClass::ReadOnly | ErrorClass::Rejected => None,
        ErrorClass::Conflict | ErrorClass::RowRefused | ErrorClass::Other => None,
    }
}

/// For a failure without an answer of the server.
pub(super) fn without_answer(
    error: &tokio_postgres::Error,
    class: ErrorClass,
) -> Option<&'static str> {
    // The driver keeps its kinds to itself; these words are its own, not the server's.
    let said = error.to_string();
    if causes(error).any(|cause| cause.to_string() == "password missing") {
        return Some(
            "the server asks for a password; put it into DATABASE_URL: postgres://user:password@...",
        );
    }
    if said.contains("TLS handshake") {
        return Some(
            "a server without TLS needs sslmode=disable in the url; one whose certificate is signed \
             by nobody known needs sslmode=no-verify, on a network that you trust",
        );
    }
    let io = causes(error).find_map(|cause| cause.downcast_ref::<std::io::Error>());
    match io.map(std::io::Error::kind) {
        Some(std::io::ErrorKind::NotFound) => {
            Some("there is no socket of a server at that place; name the directory that holds it")
        }
        Some(std::io::ErrorKind::PermissionDenied) => {
            Some("this user of the system may not use the server's socket")
        }
        // The resolver's failures are none of the system's.
        Some(_)
            if said.contains("connecting") && io.is_some_and(|e| e.raw_os_error().is_none()) =>
        {
            Some("check the name of the host in DATABASE_URL")
        }
        _ => by_trouble(class),
    }
}
