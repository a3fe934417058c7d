//! A small HTTP client for the tests, which exposes all details of a response.

use std::sync::Once;

use reqwest::header::HeaderMap;
use serde_json::Value;
use stripe_sim::{Account, AccountBuilder, Sim, SimOptions};

/// A response with its body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn error(&self) -> Value {
        self.json()["error"].clone()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["id"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }
}

pub(crate) fn http() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub(crate) async fn start(builder: AccountBuilder, options: SimOptions) -> Sim {
    Sim::start(builder.build().unwrap(), options).await.unwrap()
}

/// A simulator with 30 customers.
pub(crate) async fn customers(options: SimOptions) -> Sim {
    start(Account::builder(1).objects("customer", 30), options).await
}

pub(crate) async fn try_get(sim: &Sim, target: &str) -> Result<Answer, reqwest::Error> {
    get_with(sim, target, sim.key()).await
}

pub(crate) async fn get_with(sim: &Sim, target: &str, key: &str) -> Result<Answer, reqwest::Error> {
    let response =
        http().get(format!("{}{target}", sim.base_url())).bearer_auth(key).send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, text: response.text().await? })
}

pub(crate) async fn get(sim: &Sim, target: &str) -> Answer {
    try_get(sim, target).await.unwrap()
}
