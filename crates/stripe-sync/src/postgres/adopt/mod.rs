//! Adopts the tables of a TypeScript stripe-sync-engine in place, with every row.
//!
//! First the schema is surveyed, and everything that cannot be kept is reported by name. Then all
//! changes are rehearsed on empty copies and rolled back. Only then is each table changed, in a
//! transaction of its own. If the adoption is interrupted, some tables are adopted and the others
//! unchanged, and the next `migrate` resumes it.

mod adoption;
mod change;
mod dependents;
mod enum_order;
mod execute;
mod failure;
mod legacy;
mod plan;
mod rehearse;
mod retype;
mod statements;
mod survey;
mod terms;
mod transaction;
mod validate;
mod views;

pub use adoption::{Adoption, AdoptionTable, KeptForeignKey};
