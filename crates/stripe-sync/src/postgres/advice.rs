//! Hints for database errors: what the user can do. They depend on the SQLSTATE, or on the error of
//! the operating system or the driver if the server did not reply.

use std::io;

use super::error_chain::causes;
use super::error_class::ErrorClass;

const PERMISSION_DENIED: &str = "the first migration needs the `create` privilege on the database, and later migrations run \
     as the owner of the tables; `stripe-sync check` lists what is missing and what to grant";

/// The hint for a user that lacks the privilege to connect to the database.
pub(super) const CONNECT_DENIED: &str =
    "as the owner of the database: grant connect on database NAME to USER";

/// The hint for an error that the server reported.
pub(super) fn by_sqlstate(code: &str, class: ErrorClass) -> Option<&'static str> {
    Some(match code {
        "08P01" if class == ErrorClass::Other => {
            "a pooler in front of the server may reject settings in the url (options=...): remove \
             them, or add them to the pooler's ignore_startup_parameters"
        }
        "28P01" => {
            "correct the user and the password in DATABASE_URL; percent-encode special characters \
             in the password (@ as %40)"
        }
        "28000" => {
            "set DATABASE_URL to a user that the server accepts from this host; see its pg_hba.conf \
             and its roles"
        }
        "3D000" => {
            "create the database (createdb --encoding=UTF8 --template=template0 NAME), or correct \
             its name in DATABASE_URL"
        }
        "55000" if class == ErrorClass::Other => {
            "the server does not allow this operation on this database; set DATABASE_URL to another \
             one"
        }
        "25P03" => {
            "idle_in_transaction_session_timeout is too short; raise it for this user: alter role \
             NAME set idle_in_transaction_session_timeout = 0"
        }
        "57P05" => {
            "idle_session_timeout is too short; raise it for this user: alter role NAME set \
             idle_session_timeout = 0"
        }
        "57014" => {
            "the statement was canceled, or a statement_timeout of the database or its user is \
             too short; raise it for this user: alter role NAME set statement_timeout = 0"
        }
        "55P03" => {
            "another session held a lock on the tables for longer than lock_timeout; run the same \
             command again when that session is done"
        }
        "42P01" | "42703" | "3F000" => {
            "tables or columns of the copy were dropped or renamed; run `stripe-sync migrate` to \
             add what is missing"
        }
        "42804" | "42883" | "42P10" | "42809" => {
            "tables of the copy were changed by hand; restore the type or the key, or use another \
             --schema"
        }
        "42P07" | "42710" => {
            "another object has a name that stripe-sync needs; rename that object, or use another \
             --schema or --table-prefix"
        }
        "53100" => "free disk space on the database server",
        "53200" => "the server is out of memory; add memory, or lower --max-connections",
        "53300" => {
            "all connections that the server allows are in use; close some, raise the limit of the \
             server, or lower --max-connections"
        }
        "53400" => "a limit in the server's configuration is reached; raise it",
        "57P03" => "the server is starting or stopping; try again in a moment",
        "25006" => {
            "the server, the database or the user is read-only; set DATABASE_URL to a primary \
             server with write access"
        }
        _ => return by_class(class),
    })
}

fn by_class(class: ErrorClass) -> Option<&'static str> {
    match class {
        ErrorClass::Unreachable => {
            Some("check that the server is running and that DATABASE_URL has its host and port")
        }
        ErrorClass::ResourceExhausted => Some(
            "the server cannot write; check its disk and its log, then run the same command again",
        ),
        ErrorClass::PermissionDenied => Some(PERMISSION_DENIED),
        ErrorClass::Transient => Some(
            "check the pooler in front of the server and its log, then run the same command again",
        ),
        ErrorClass::ServerInternal => {
            Some("check the log of the server, then run the same command again")
        }
        ErrorClass::ReadOnly | ErrorClass::Rejected => None,
        ErrorClass::Conflict | ErrorClass::RowRefused | ErrorClass::Other => None,
    }
}

/// The hint for a failure that the server did not report.
pub(super) fn without_answer(
    error: &tokio_postgres::Error,
    class: ErrorClass,
) -> Option<&'static str> {
    // The driver does not expose its error kinds; these texts are its own, not the server's.
    let text = error.to_string();
    if causes(error).any(|cause| cause.to_string() == "password missing") {
        return Some(
            "the server requires a password; add it to DATABASE_URL: \
             postgres://user:password@...",
        );
    }
    if text.contains("TLS handshake") {
        return Some(
            "if the server has no TLS, add sslmode=disable to the url; if its provider offers a CA \
             certificate, add sslrootcert=FILE; sslmode=no-verify accepts any certificate, for a \
             network that you trust",
        );
    }
    let io = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::NotFound) => {
            Some("no server socket exists there; set the host to the directory of the socket")
        }
        Some(io::ErrorKind::PermissionDenied) => {
            Some("this operating system user is not allowed to use the server's socket")
        }
        // A failure of the name resolver has no error number of the operating system.
        Some(_)
            if text.contains("connecting") && io.is_some_and(|e| e.raw_os_error().is_none()) =>
        {
            Some("check the host name in DATABASE_URL")
        }
        _ => by_class(class),
    }
}
