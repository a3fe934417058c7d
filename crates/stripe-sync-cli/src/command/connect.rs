//! Opens a copy for a command. Asks Stripe about the key first and only then opens the database, so
//! that a wrong key changes nothing.

use stripe_sync::{AccountHandle, StripeSync};

use crate::columns::ColumnChanges;
use crate::database_target::OpenDatabase;
use crate::failure::Failure;
use crate::settings::{DatabaseSettings, StripeSettings};

pub(super) async fn connect(
    stripe: &StripeSettings,
    database: &DatabaseSettings,
    columns: Option<&ColumnChanges>,
) -> Result<(StripeSync, OpenDatabase), Failure> {
    let mut config = database.config("");
    stripe.add_to(&mut config);
    let account = AccountHandle::open(&config).await?;
    let open = database.target.open().await?;
    let mut config = database.config(open.url());
    stripe.add_to(&mut config);
    if let Some(columns) = columns {
        columns.add_to(&mut config);
    }
    Ok((StripeSync::connect(config).await?.for_account(account), open))
}
