//! Who is let in.

use crate::server::Server;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use fait::bus::Outlet;
use fait::reexport::serde_json::{Value, json};
use fait_nats::{Nats, NatsError, Options};
use nkeys::KeyPair;
use std::path::Path;
use tempfile::TempDir;

async fn enters(server: &Server, options: Options) {
    let nats = Nats::connect(&server.url(), options).await.expect("let in");
    nats.outlet("tickets").reached().await.expect("it works");
}

async fn refused(server: &Server, options: Options) {
    let nats = Nats::connect(&server.url(), options).await;
    assert!(matches!(nats, Err(NatsError::Refused { .. })), "{nats:?}");
}

#[tokio::test]
async fn a_user_with_a_password() {
    let server = Server::start("authorization { user: fait, password: secret }");
    enters(&server, Options::default().user("fait", "secret")).await;
    refused(&server, Options::default().user("fait", "wrong")).await;
    refused(&server, Options::default()).await;
}

#[tokio::test]
async fn a_token() {
    let server = Server::start("authorization { token: secret }");
    enters(&server, Options::default().token("secret")).await;
    refused(&server, Options::default().token("wrong")).await;
}

#[tokio::test]
async fn an_nkey() {
    let key = KeyPair::new_user();
    let text = format!(
        "authorization {{ users: [{{ nkey: {} }}] }}",
        key.public_key()
    );
    let server = Server::start(&text);
    enters(
        &server,
        Options::default().nkey(&key.seed().expect("a seed")),
    )
    .await;
    let other = KeyPair::new_user().seed().expect("a seed");
    refused(&server, Options::default().nkey(&other)).await;
}

/// A signed claim, as the server trusts it.
fn jwt(signer: &KeyPair, subject: &KeyPair, name: &str, nats: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
    let claims = part(&json!({
        "jti": name, "iat": 0, "iss": signer.public_key(), "sub": subject.public_key(),
        "name": name, "nats": nats,
    }));
    let text = format!("{head}.{claims}");
    let signature = signer.sign(text.as_bytes()).expect("signed");
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_file_of_credentials() {
    let operator = KeyPair::new_operator();
    let (system, account, user) = (
        KeyPair::new_account(),
        KeyPair::new_account(),
        KeyPair::new_user(),
    );
    let limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
        "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1,
        "consumer": -1,
    });
    let mut none = limits.clone();
    none["mem_storage"] = json!(0);
    none["disk_storage"] = json!(0);
    let of = |limits: &Value| json!({ "type": "account", "version": 2, "limits": limits });
    let text = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\n\
         resolver_preload: {{ {}: {}, {}: {} }}",
        jwt(
            &operator,
            &operator,
            "o",
            &json!({ "type": "operator", "version": 2 })
        ),
        system.public_key(),
        system.public_key(),
        jwt(&operator, &system, "SYS", &of(&none)),
        account.public_key(),
        jwt(&operator, &account, "a", &of(&limits)),
    );
    let server = Server::start(&text);
    let claims = json!({
        "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {},
    });
    let file = server.path().join("fait.creds");
    let write = |signer: &KeyPair| {
        let text = format!(
            "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            jwt(signer, &user, "fait", &claims),
            user.seed().expect("a seed"),
        );
        std::fs::write(&file, text).expect("written");
    };
    write(&account);
    enters(&server, Options::default().credentials_file(&file)).await;
    write(&KeyPair::new_account());
    refused(&server, Options::default().credentials_file(&file)).await;
    std::fs::write(&file, "none").expect("written");
    let unreadable = Nats::connect(&server.url(), Options::default().credentials_file(&file)).await;
    assert!(
        matches!(unreadable, Err(NatsError::File { .. })),
        "{unreadable:?}"
    );
}

/// A certificate that signs others, and one that it signed; PEM files in a folder.
fn certificates(folder: &Path) {
    let write = |name: &str, text: String| {
        std::fs::write(folder.join(name), text).expect("written");
    };
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).expect("signed");
    write("root.pem", root.pem());
    let issuer = rcgen::Issuer::new(params, key);
    for name in ["server", "client"] {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]);
        let signed = params.expect("a name").signed_by(&key, &issuer);
        write(&format!("{name}.pem"), signed.expect("signed").pem());
        write(&format!("{name}.key"), key.serialize_pem());
    }
}

#[tokio::test]
async fn tls_with_a_certificate_on_both_sides() {
    let folder = TempDir::with_prefix("fait-nats").expect("a folder");
    certificates(folder.path());
    let path = |name: &str| folder.path().join(name);
    let text = format!(
        "tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {:?}, verify: true }}",
        path("server.pem"),
        path("server.key"),
        path("root.pem")
    );
    let server = Server::start(&text);
    let trusts = Options::default().root_certificates(path("root.pem"));
    enters(
        &server,
        trusts
            .clone()
            .certificate(path("client.pem"), path("client.key")),
    )
    .await;
    // Whoever does not know the server sends it nothing.
    let stranger = Options::default().certificate(path("client.pem"), path("client.key"));
    refused(&server, stranger).await;
    let plain = Server::start("");
    refused(&plain, trusts).await;
}
