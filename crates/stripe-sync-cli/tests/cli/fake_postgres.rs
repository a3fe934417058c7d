//! A fake PostgreSQL server. It implements only the part of the protocol that is needed to reject a
//! session, or to answer the first query, which reads properties of the server.
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// How the server behaves.
#[derive(Clone, Copy)]
pub(crate) enum Behavior {
    /// Rejects each session with this SQLSTATE and message.
    Rejects(&'static str, &'static str),
    /// Answers every statement with these properties of the server.
    Reports { number: i32, version: &'static str, standby: bool },
    /// Accepts connections and sends nothing.
    NoResponse,
    /// Speaks another protocol.
    Http,
}

/// Listens until the test ends, and returns the port.
pub(crate) fn start(behavior: Behavior) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream, behavior));
        }
    });
    port
}

fn serve(mut stream: TcpStream, behavior: Behavior) -> Option<()> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut start = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut start).ok()?;
    match behavior {
        Behavior::Rejects(code, text) => {
            let fields = format!("SFATAL\0VFATAL\0C{code}\0M{text}\0\0");
            stream.write_all(&message(b'E', fields.as_bytes())).ok()
        }
        Behavior::Http => stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok(),
        Behavior::NoResponse => {
            // Reads until the client closes the connection.
            let mut nothing = Vec::new();
            stream.read_to_end(&mut nothing).ok().map(drop)
        }
        Behavior::Reports { number, version, standby } => {
            let ready = [message(b'R', &0_i32.to_be_bytes()), message(b'Z', b"I")].concat();
            stream.write_all(&ready).ok()?;
            let answer = answer(number, version, standby);
            loop {
                let mut head = [0; 5];
                stream.read_exact(&mut head).ok()?;
                let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
                stream.read_exact(&mut vec![0; length - 4]).ok()?;
                if head[0] == b'S' {
                    stream.write_all(&answer).ok()?;
                }
            }
        }
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a short message");
    [&[kind][..], &length.to_be_bytes(), body].concat()
}

/// One row: number, version, encoding, database, user, standby, read-only, template.
fn answer(number: i32, version: &str, standby: bool) -> Vec<u8> {
    const INT4: i32 = 23;
    const TEXT: i32 = 25;
    const BOOL: i32 = 16;
    let flag = [u8::from(standby)];
    let number = number.to_be_bytes();
    let columns: [(i32, &[u8]); 8] = [
        (INT4, &number),
        (TEXT, version.as_bytes()),
        (TEXT, b"UTF8"),
        (TEXT, b"app"),
        (TEXT, b"u"),
        (BOOL, &flag),
        (BOOL, &flag),
        (BOOL, &[0]),
    ];
    let count = 8_i16.to_be_bytes();
    let (mut description, mut row) = (count.to_vec(), count.to_vec());
    for (kind, value) in columns {
        description.extend(b"c\0");
        description.extend([0; 6]);
        description.extend(kind.to_be_bytes());
        description.extend([0; 6]);
        description.extend(1_i16.to_be_bytes());
        row.extend(i32::try_from(value.len()).expect("a short value").to_be_bytes());
        row.extend(value);
    }
    [
        message(b'1', b""),
        message(b'2', b""),
        message(b't', &0_i16.to_be_bytes()),
        message(b'T', &description),
        message(b'D', &row),
        message(b'C', b"SELECT 1\0"),
        message(b'Z', b"I"),
    ]
    .concat()
}
