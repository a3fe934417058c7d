//! Whose rows the tables of another engine hold, and whether they may be taken over unasked.

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::identity::Identity;
use crate::postgres::{Adoption, Database, Names};

/// Takes over the tables of a TypeScript stripe-sync-engine, if the schema holds any.
///
/// # Errors
/// The account or mode cannot be told or is another one, the tables are larger than the
/// configuration allows, something stands in the way, or the database ends it.
pub(crate) async fn adopt<F>(
    database: &Database,
    config: &Config,
    identify: impl FnOnce() -> F,
) -> Result<(), Error>
where
    F: Future<Output = Result<Identity, Error>>,
{
    let begun = database.takeover(&config.names).await?;
    let Some(takeover) = begun.filter(|takeover| !takeover.adoption.tables.is_empty()) else {
        return Ok(database.validate_kept_keys(&config.names).await?);
    };
    let bytes = takeover.adoption.bytes();
    if bytes > config.rewrite_limit {
        let gigabytes = bytes as f64 / f64::from(1 << 30);
        let message =
            format!("taking over these tables rewrites {gigabytes:.1} GB, each locked meanwhile");
        return Err(Error::new(ErrorKind::Usage, message)
            .with_hint("nothing was changed; run `stripe-sync migrate --yes` to do it"));
    }
    let (account, key_mode) = match (&config.key, &config.account) {
        (Some(_), _) => {
            let identity = identify().await?;
            (identity.account, Some(identity.mode))
        }
        (None, Some(account)) => (account.clone(), None),
        (None, None) => {
            let message = "the tables of the other engine do not say whose rows they hold";
            return Err(Error::new(ErrorKind::Usage, message).with_hint(
                "nothing was changed; set STRIPE_SECRET_KEY or pass --account acct_...",
            ));
        }
    };
    let rows_mode = takeover.mode().await?;
    if let (Some(key), Some(rows)) = (key_mode, rows_mode)
        && key != rows
    {
        let message = format!("this is a {key} key, and the tables hold {rows} rows");
        return Err(Error::new(ErrorKind::Access, message).with_hint(format!(
            "nothing was changed; use the {rows} key, or another --schema for {key} data"
        )));
    }
    Ok(takeover.take_over(&account, rows_mode.or(key_mode)).await?)
}

/// The tables of another engine that would be adopted; `None` if there are none.
pub(crate) async fn describe(
    database: &Database,
    names: &Names,
) -> Result<Option<Adoption>, Error> {
    let takeover = database.takeover(names).await?;
    Ok(takeover.map(|t| t.adoption).filter(|adoption| !adoption.tables.is_empty()))
}
