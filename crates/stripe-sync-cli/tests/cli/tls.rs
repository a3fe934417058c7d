//! TLS to PostgreSQL and to Stripe, with generated certificates: from the right authority, from
//! another one, for another name, and expired.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::support::{Cli, CommandOutput, server, small_sim};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The file with its certificate, for `sslrootcert`.
    file: PathBuf,
}

impl Authority {
    fn new(dir: &Path, name: &str) -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.self_signed(&key).expect("a certificate");
        let file = dir.join(format!("{name}.pem"));
        std::fs::write(&file, certificate.pem()).expect("written");
        Authority { issuer: Issuer::new(params, key), file }
    }

    fn acceptor(&self, name: &str, expired: bool) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(if expired { 2021 } else { 2090 }, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a configuration");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// The server to which decrypted connections are forwarded.
#[derive(Clone)]
enum Target {
    /// The socket of a PostgreSQL server, whose clients ask for TLS first.
    Postgres(PathBuf),
    /// The port of an HTTP server.
    Http(u16),
}

async fn serve(acceptor: TlsAcceptor, target: Target) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(forward(stream, acceptor.clone(), target.clone()));
        }
    });
    port
}

async fn forward(mut stream: TcpStream, acceptor: TlsAcceptor, target: Target) {
    if matches!(target, Target::Postgres(_)) {
        // SSLRequest: https://www.postgresql.org/docs/current/protocol-message-formats.html
        let mut request = [0; 8];
        stream.read_exact(&mut request).await.expect("a request");
        assert_eq!(
            u32::from_be_bytes([request[4], request[5], request[6], request[7]]),
            80_877_103
        );
        stream.write_all(b"S").await.expect("sent");
    }
    // The client rejects most of these certificates.
    let Ok(tls) = acceptor.accept(stream).await else { return };
    match target {
        Target::Postgres(path) => {
            pipe(tls, UnixStream::connect(path).await.expect("a server")).await
        }
        Target::Http(port) => {
            pipe(tls, TcpStream::connect(("127.0.0.1", port)).await.expect("a server")).await;
        }
    }
}

async fn pipe<A, B>(mut near: A, mut far: B)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    // An error only means that one of the connections was closed.
    drop(copy_bidirectional(&mut near, &mut far).await);
}

fn assert_rejected(output: &CommandOutput, what: &str) {
    assert_eq!(output.code, Some(1), "{what}: {}", output.stderr);
    assert!(output.stderr.contains("certificate"), "{what}: {}", output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_of_the_database_is_verified() {
    let sim = small_sim().await;
    let dir = tempfile::tempdir().expect("a directory");
    let (ours, other) = (Authority::new(dir.path(), "ours"), Authority::new(dir.path(), "other"));
    let socket = server().await.socket_dir().join(".s.PGSQL.5432");
    let url = |port: u16, options: &str| {
        format!("postgres://postgres@localhost:{port}/postgres?{options}")
    };
    let user = server().await.user().to_owned();
    let run = |port: u16, options: String, variables: &[(&str, &str)]| {
        let url = url(port, &options).replace("postgres@", &format!("{user}@"));
        let mut cli = Cli::with_sim(&sim).env("DATABASE_URL", &url).env("SCHEMA", "over_tls");
        for (name, value) in variables {
            cli = cli.env(name, value);
        }
        cli.run(&["migrate"])
    };
    let roots = |authority: &Authority| format!("sslrootcert={}", authority.file.display());
    let right = serve(ours.acceptor("localhost", false), Target::Postgres(socket.clone())).await;
    let misnamed =
        serve(ours.acceptor("db.example", false), Target::Postgres(socket.clone())).await;
    let expired = serve(ours.acceptor("localhost", true), Target::Postgres(socket)).await;

    for options in ["sslmode=verify-full", "sslmode=verify-ca", "sslmode=require"] {
        let output = run(right, format!("{options}&{}", roots(&ours)), &[]);
        assert_eq!(output.code, Some(0), "{options}: {}", output.stderr);
        let output = run(right, format!("{options}&{}", roots(&other)), &[]);
        assert_rejected(&output, "another authority");
        let output = run(right, options.to_owned(), &[]);
        assert_rejected(&output, "an authority that the system does not know");
        let output = run(expired, format!("{options}&{}", roots(&ours)), &[]);
        assert_rejected(&output, "expired");
    }
    for mode in ["verify-full", "require"] {
        let output = run(misnamed, format!("sslmode={mode}&{}", roots(&ours)), &[]);
        assert_rejected(&output, "another name");
    }
    let output = run(misnamed, format!("sslmode=verify-ca&{}", roots(&ours)), &[]);
    assert_eq!(output.code, Some(0), "verify-ca ignores the name: {}", output.stderr);
    let file = ours.file.display().to_string();
    for variable in ["PGSSLROOTCERT", "SSL_CERT_FILE"] {
        let output = run(right, "sslmode=verify-full".to_owned(), &[(variable, &file)]);
        assert_eq!(output.code, Some(0), "{variable}: {}", output.stderr);
    }
    let output = run(misnamed, "sslmode=verify-ca".to_owned(), &[("PGSSLROOTCERT", &file)]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let local = Cli::with_both(&sim, "without_tls").await.env("PGSSLROOTCERT", "/nowhere.pem");
    let output = local.run(&["migrate"]);
    assert_eq!(output.code, Some(0), "the file is not needed: {}", output.stderr);
    let output = run(right, "sslmode=verify-full".to_owned(), &[("PGSSLROOTCERT", "system")]);
    assert_rejected(&output, "the system does not know this authority");
    let output = run(expired, "sslmode=no-verify".to_owned(), &[]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let output = run(right, "sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned(), &[]);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("/nowhere.pem"), "{}", output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_of_stripe_is_verified() {
    let sim = small_sim().await;
    let dir = tempfile::tempdir().expect("a directory");
    let (ours, other) = (Authority::new(dir.path(), "ours"), Authority::new(dir.path(), "other"));
    let port =
        sim.base_url().rsplit(':').next().and_then(|port| port.trim_matches('/').parse().ok());
    let target = Target::Http(port.expect("a port"));
    let url = crate::support::database_url().await;
    let run = |port: u16, authority: &Authority| {
        Cli::with_sim(&sim)
            .env("STRIPE_API_BASE", &format!("https://localhost:{port}"))
            .env("SSL_CERT_FILE", &authority.file.display().to_string())
            .env("DATABASE_URL", &url)
            .env("SCHEMA", "stripe_tls")
            .run(&["backfill", "--object", "product"])
    };
    let right = serve(ours.acceptor("localhost", false), target.clone()).await;
    let output = run(right, &ours);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_rejected(&run(right, &other), "another authority");
    let misnamed = serve(ours.acceptor("api.example", false), target.clone()).await;
    assert_rejected(&run(misnamed, &ours), "another name");
    let expired = serve(ours.acceptor("localhost", true), target).await;
    assert_rejected(&run(expired, &ours), "expired");
}
