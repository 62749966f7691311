//! The shelf list in a URL, and the position of a film in it.

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

/// Reads filters and order from a URL.
pub fn read_list(uri: &Uri) -> Result<(Address, List), Problem> {
    let address = Address::of(uri).list_only();
    let mut params = Params::of(&address.at("/").parse().unwrap_or_default());
    let _view = params.one("view", |_| Ok(()));
    let query = params.list(Sort::of(SortKey::Title));
    params.finish()?;
    Ok((address, List { filter: query.filter, sort: query.sort }))
}

/// Returns the URL of a page of a list.
pub fn on_page(address: &Address, list: &List, page: Option<&Cursor>) -> String {
    match page {
        Some(cursor) => address.with("cursor", &cursor.encode(&list.order())).to_string(),
        None => address.to_string(),
    }
}

/// Returns the URL of a new film in the list that the user came from, or in the whole collection if that list
/// does not have it.
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
    let page = neighbours::page_of(&state.app, &context.viewer, film, &list, page_size::FULL).await?;
    Ok(format!("{}#added", on_page(&address, &list, page.as_ref())))
}
