//! Adopts the tables of a TypeScript stripe-sync-engine, once the account and the mode of their
//! rows are known.

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::identity::Identity;
use crate::postgres::{Adoption, Database, Names};

/// Adopts the tables of a TypeScript stripe-sync-engine, if the schema has any.
///
/// # Errors
/// The account or mode of the rows is unknown or not that of the key, the tables are larger than
/// the configuration allows, something cannot be kept, or the database failed.
pub(crate) async fn adopt<F>(
    database: &Database,
    config: &Config,
    identify: impl FnOnce() -> F,
) -> Result<(), Error>
where
    F: Future<Output = Result<Identity, Error>>,
{
    let planned = database.plan_adoption(&config.names).await?;
    let Some(planned) = planned.filter(|planned| !planned.adoption.tables.is_empty()) else {
        return Ok(database.validate_kept_keys(&config.names).await?);
    };
    let bytes = planned.adoption.bytes();
    if bytes > config.rewrite_limit {
        let gigabytes = bytes as f64 / f64::from(1 << 30);
        let message = format!(
            "adopting these tables rewrites {gigabytes:.1} GB and locks each table while it is rewritten"
        );
        return Err(Error::new(ErrorKind::Usage, message).with_hint(
            "nothing was changed; rewriting more than 1 GB requires --yes: run `stripe-sync \
             migrate --yes`",
        ));
    }
    let (account, key_mode) = match (&config.key, &config.account) {
        (Some(_), _) => {
            let identity = identify().await?;
            (identity.account, Some(identity.mode))
        }
        (None, Some(account)) => (account.clone(), None),
        (None, None) => {
            let message = "the account of the rows in the other engine's tables is unknown";
            return Err(Error::new(ErrorKind::Usage, message).with_hint(
                "nothing was changed; set STRIPE_SECRET_KEY or pass --account acct_...",
            ));
        }
    };
    let rows_mode = planned.rows_mode().await?;
    if let (Some(key), Some(rows)) = (key_mode, rows_mode)
        && key != rows
    {
        let message = format!("this is a {key} key, but the tables hold {rows} rows");
        return Err(Error::new(ErrorKind::Access, message).with_hint(format!(
            "nothing was changed; use a {rows} key, or another --schema for {key} data"
        )));
    }
    Ok(planned.execute(&account, rows_mode.or(key_mode)).await?)
}

/// The tables of another engine that would be adopted; `None` if there are none.
pub(crate) async fn describe(
    database: &Database,
    names: &Names,
) -> Result<Option<Adoption>, Error> {
    let planned = database.plan_adoption(names).await?;
    Ok(planned.map(|planned| planned.adoption).filter(|adoption| !adoption.tables.is_empty()))
}
