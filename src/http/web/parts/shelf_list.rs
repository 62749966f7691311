//! The list on the shelf that an address names, and where a film is in it.

use axum::http::Uri;

use super::{address::Address, page_context::PageContext};
use crate::{
    domain::{Cursor, Filter, Movie, Sort, SortKey},
    http::{Shared, extract::query::Params, problem::Problem, web::parts::page_size},
    service::{
        Error,
        neighbours::{self, List},
    },
};

/// The filters and the order of an address.
pub fn read_list(uri: &Uri) -> Result<(Address, List), Problem> {
    let address = Address::of(uri).list_only();
    let mut params = Params::of(&address.at("/").parse().unwrap_or_default());
    let _view = params.one("view", |_| Ok(()));
    let query = params.list(Sort::of(SortKey::Title));
    params.finish()?;
    Ok((address, List { filter: query.filter, sort: query.sort }))
}

/// The address of the page of a list that begins at a place.
pub fn on_page(address: &Address, list: &List, page: Option<&Cursor>) -> String {
    match page {
        Some(cursor) => address.with("cursor", &cursor.encode(&list.order())).to_string(),
        None => address.to_string(),
    }
}

/// The address where a new film is in the list that one came from, or in the whole collection where that list does
/// not have it.
pub async fn place_on_shelf(
    state: &Shared,
    context: &PageContext,
    film: &Movie,
    back: &str,
) -> Result<String, Error> {
    let uri: Option<Uri> = back.parse().ok().filter(|uri: &Uri| uri.path() == "/");
    let (mut address, mut list) = uri.and_then(|uri| read_list(&uri).ok()).unwrap_or_default();
    if !list.filter.finds(film) {
        address = address.unfiltered();
        list.filter = Filter::default();
    }
    let page = neighbours::page_of(&state.app, context, film, &list, page_size::FULL).await?;
    Ok(format!("{}#added", on_page(&address, &list, page.as_ref())))
}
