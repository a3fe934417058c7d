//! The keys of `_meta`, the table of properties of a whole schema.

/// `live` or `test`.
pub(super) const MODE: &str = "mode";
/// The revision of the engine's own tables.
pub(super) const SCHEMA_REVISION: &str = "schema_revision";
/// The excluded columns, separated by spaces.
pub(super) const EXCLUDED_COLUMNS: &str = "excluded_columns";
/// Those excluded columns that can still have stored values, separated by spaces.
pub(super) const COLUMNS_TO_CLEAR: &str = "columns_to_clear";
/// The account of the rows that were in adopted tables.
pub(super) const ADOPTED_FOR: &str = "adopted_for";
/// The only account that the schema can hold, because foreign keys of other tables need ids that
/// are unique on their own.
pub(super) const ONLY_ACCOUNT: &str = "only_account";
/// The prefix of a foreign key that was recreated by an adoption and is still to be validated.
pub(super) const TO_VALIDATE: &str = "to_validate/";
/// The prefix of a process's wait reason. The run, a slash and the process follow.
pub(super) const WAITING: &str = "waiting/";
