//! What all that is asked by HTTP has in common.

use crate::HttpError;
use reqwest::header::HeaderValue;
use reqwest::{Client, Url, redirect};
use std::time::Duration;

/// An address without the slash at its end.
pub(super) fn web(address: &str) -> Result<&str, HttpError> {
    let wrong = || HttpError::Address(address.into());
    let url = Url::parse(address).map_err(|_| wrong())?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong());
    }
    Ok(address.trim_end_matches('/'))
}

/// A client. A connection may take 5 seconds; redirects are not followed, so that what is secret
/// goes nowhere else.
pub(super) fn client() -> Result<Client, HttpError> {
    // The application may have chosen another one before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .redirect(redirect::Policy::none())
        .build()
        .map_err(HttpError::Client)
}

/// The value of `Authorization` for a token. It is not shown in logs.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, HttpError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// An error with its causes, without the address: that may have a password in it.
pub(super) fn said(e: &reqwest::Error) -> String {
    let mut words = match () {
        () if e.is_connect() => "no connection".to_string(),
        () if e.is_timeout() => "no answer in time".to_string(),
        () => "no whole answer".to_string(),
    };
    let mut cause = std::error::Error::source(e);
    while let Some(e) = cause {
        words = format!("{words}: {e}");
        cause = e.source();
    }
    words
}
