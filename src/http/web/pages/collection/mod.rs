//! `/`: the collection as a shelf or a table. The URL has the parameters of the API's list.

mod offer;
mod page;

pub use page::show;
