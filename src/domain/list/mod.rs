//! Lists of movies: filters, orders, pages and cursors.

mod bounds;
mod cursor;
mod facet_key;
mod filter;
mod limit;
mod query;
mod sort;

pub use self::{
    bounds::Bounds,
    cursor::Cursor,
    facet_key::{FacetKey, FilterMatches},
    filter::Filter,
    limit::Limit,
    query::ListQuery,
    sort::{KeyValue, Sort, SortKey},
};
