//! Documents: YAML files that people write, read in two passes, with every mistake placed.
//!
//! The first pass ([`index`]) takes the whole structure with the place of every key and value, and refuses what these files never need (duplicate keys, aliases, tags, merge keys,
//! deep nesting). The second ([`Document::read_as`]) gives it to serde, scalars as the strings that they are; a path that serde complains of is looked up in the first pass's index.
//! The two passes are two parsers: a file that they do not read alike ([`agreement`]) is refused.
//! What the strings mean is the affair of [`crate::scenario`] and [`crate::bench`], which place their own complaints through a [`Cursor`].
//! Nothing in here knows a verb or a board.

mod agreement;
mod cursor;
mod diagnostic;
mod index;
mod nearest;
mod read;
mod refusal;
pub(crate) mod schema;
mod shapes;
mod source;

pub use cursor::Cursor;
pub use diagnostic::{Diagnostic, Excerpt, Problems, Related};
pub use index::{Content, Key, Node};
pub use nearest::{known, nearest};
pub use refusal::{Refusal, TRUTH, one_of, unknown_word};
pub use shapes::{Entries, Short, Text, given};
pub use source::{Document, FORMAT, MAX_BYTES};
