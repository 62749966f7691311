//! `/`: the collection as a shelf or a table. The URL has the parameters of the API's list.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};

use super::offer::{self, Offer};
use crate::{
    domain::{Code, Invalid, MovieFormat, Sort, SortKey, quoted},
    format,
    http::{
        Shared,
        extract::query::Params,
        problem::Problem,
        web::parts::{
            address::Address,
            film_card::Film,
            filters::Filters,
            page_context::PageContext,
            page_size,
            sections::{self, JumpLink},
        },
    },
    service::{
        facets::{self, Facets},
        movies,
        search::Match,
    },
};

#[derive(Template)]
#[template(path = "collection.html", blocks = ["main"])]
struct Collection<'a> {
    context: Option<&'a PageContext>,
    films: Vec<Film<'a>>,
    /// The number of films on all pages, in words.
    found: String,
    /// The same for the button of the filters.
    shown: String,
    /// The number of similar films, if nothing matches the search.
    similar: String,
    /// Whether there are no films, also on no other page.
    is_empty: bool,
    /// Whether the films are fuzzy matches.
    is_fuzzy: bool,
    /// The filter that the search may mean.
    offer: Option<Offer>,
    view: View,
    filters: Filters<'a>,
    jump_links: Vec<JumpLink>,
    sorts: Vec<Choice>,
    /// The order, in words.
    sorted_by: &'static str,
    headings: Vec<Heading>,
    /// The first page of the list.
    first: &'a Address,
    /// The current position in each view.
    as_shelf: Address,
    as_table: Address,
    next: Option<Address>,
    /// Whether this is not the first page.
    further: bool,
    select_all: SelectAll,
}

impl Collection<'_> {
    fn may_edit(&self) -> bool {
        self.context.is_some_and(PageContext::may_edit)
    }

    /// Returns whether only streamed films are shown, which have no boxes.
    fn is_streaming(&self) -> bool {
        let mut chosen = self.filters.formats.iter().filter(|format| format.on);
        let streaming = MovieFormat::Streaming.as_str();
        chosen.next().is_some_and(|format| format.value == streaming) && chosen.next().is_none()
    }

    /// Returns the URL to add a film with the title that was searched for.
    fn add_searched(&self) -> Option<String> {
        let title = self.filters.search.trim();
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("title", title).finish();
        (self.may_edit() && !title.is_empty()).then(|| format!("/add?{query}"))
    }

    /// Returns the URL of a page about the same films.
    fn about(&self, path: &str) -> String {
        self.first.filters_only().at(path)
    }

    /// Returns the URL of the same films in the same order, as a file or for printing.
    fn export(&self, path: &str) -> String {
        let films = self.first.filters_only();
        let films = match self.first.get("sort") {
            "" if self.is_fuzzy => films,
            "" => films.with("sort", "title"),
            sort => films.with("sort", sort),
        };
        films.at(path)
    }
}

/// The field of the bulk edit form that selects all matching films.
struct SelectAll {
    /// Its name and value.
    name: &'static str,
    value: String,
    films: i64,
}

impl SelectAll {
    /// Selects the films that match the filters. Fuzzy matches, which no filter finds, are selected by id, as
    /// far as they are on the page.
    fn of(first: &Address, found: i64, fuzzy: Option<&[Film]>) -> Self {
        let Some(fuzzy) = fuzzy else {
            return Self { name: "all", value: first.filters_only().to_string(), films: found };
        };
        let ids: Vec<String> = fuzzy.iter().map(|film| film.id.to_string()).collect();
        Self { name: "id", value: ids.join(","), films: i64::try_from(ids.len()).unwrap_or(found) }
    }
}

/// The view of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum View {
    #[default]
    Shelf,
    Table,
}

impl View {
    fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "shelf" => Ok(Self::Shelf),
            "table" => Ok(Self::Table),
            _ => Err(Invalid::new(Code::NotAllowed, "must be shelf or table").got(quoted(text))),
        }
    }
}

/// A choice of the sort order.
struct Choice {
    label: &'static str,
    href: Address,
    on: bool,
}

/// A column heading: a click sorts by it, another click reverses the order.
struct Heading {
    label: &'static str,
    class: &'static str,
    /// The class for the sort direction within another column.
    then: &'static str,
    href: Address,
    aria_sort: &'static str,
}

/// The request header by which a script asks for the list before its counts.
const LIST_FIRST: &str = "reelshelf-list-first";

/// The sort orders to choose from.
const SORTS: [(&str, &str); 11] = [
    ("title", "Title A–Z"),
    ("-title", "Title Z–A"),
    ("-rating,title", "Best rated first"),
    ("rating,title", "Worst rated first"),
    ("-releaseYear", "Latest films first"),
    ("releaseYear", "Oldest films first"),
    ("length", "Shortest first"),
    ("-length", "Longest first"),
    ("movieFormat,title", "Format"),
    ("-createdAt", "Last added first"),
    ("-updatedAt", "Last changed first"),
];

pub async fn show(
    State(state): State<Shared>,
    context: PageContext,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let here = Address::of(&uri);
    if let Some(tidy) = here.canonical() {
        return Ok(Redirect::to(&tidy.to_string()).into_response());
    }
    let mut params = Params::of(&uri);
    let view = params.one("view", View::parse).unwrap_or_default();
    let query = params.list(Sort::of(SortKey::Title));
    params.finish()?;

    // While the user types or scrolls, the list is requested first, in small pages: counting all matches
    // takes longer.
    let list_first = headers.contains_key(LIST_FIRST);
    let limit = query.limit.unwrap_or(if list_first { page_size::FIRST_LOOK } else { page_size::FULL });
    let page_of_list = movies::page(&state.app, &context.viewer, &query, limit).await?;
    let is_fuzzy = page_of_list.matched == Match::Fuzzy;
    let counted = !list_first || query.filter.words.is_empty();
    let facets = if is_fuzzy || !counted {
        Facets::of(&page_of_list.movies)
    } else {
        facets::facets(&state.app, &context.viewer, &query.filter).await?
    };
    let order = query.order();
    let nearest_first = is_fuzzy && query.sort.is_none();
    let first = here.without("cursor");
    let mut films: Vec<Film> = page_of_list.movies.iter().map(Film::of).collect();
    if !nearest_first {
        sections::insert_sections(&mut films, &page_of_list.movies, &order);
    }
    let added = context.flash().and_then(|flash| flash.film.as_ref()).filter(|film| film.is_new);
    for film in &mut films {
        film.added = added.is_some_and(|added| added.id == film.id);
    }
    let next = page_of_list.next.map(|cursor| here.with("cursor", &cursor.encode(&order)));
    let sorts = sorts(&first, (!nearest_first).then_some(&order));
    let further = query.cursor.is_some();
    let jump_links = if further || next.is_some() {
        sections::jump_links(&first, &films, &query.filter, &order, &facets)
    } else {
        sections::jump_links_on_page(&films)
    };
    let filters = Filters::of(&first, &query.filter, &facets);
    let template = Collection {
        context: Some(&context),
        jump_links,
        found: found(&facets, !filters.chips.is_empty(), !counted && (next.is_some() || further)),
        offer: offer::of(&state, &context.viewer, &first).await?,
        shown: format::films(facets.movies),
        similar: similar(facets.movies),
        is_empty: facets.movies == 0 && !further,
        select_all: SelectAll::of(&first, facets.movies, is_fuzzy.then_some(&films)),
        view,
        filters,
        sorted_by: match sorts.iter().find(|sort| sort.on) {
            Some(sort) => sort.label,
            None if nearest_first => "Nearest first",
            None => "custom",
        },
        is_fuzzy,
        sorts,
        headings: headings(&first, (!nearest_first).then_some(&order)),
        as_shelf: here.without("view"),
        as_table: here.with("view", "table"),
        next,
        further,
        first: &first,
        films,
    };
    if list_first {
        return context.page(StatusCode::OK, &template.as_main());
    }
    context.page(StatusCode::OK, &template)
}

/// Formats the number of films in words.
fn found(facets: &Facets, filtered: bool, and_more: bool) -> String {
    let more = if and_more { "More than " } else { "" };
    let found = if filtered { " found" } else { "" };
    format!("{more}{}{found}", format::films(facets.movies))
}

/// Formats the number of similar films.
fn similar(films: i64) -> String {
    if films == 1 {
        "1 film is similar".to_owned()
    } else {
        format!("{} films are similar", format::number(films))
    }
}

fn sorts(first: &Address, sort: Option<&Sort>) -> Vec<Choice> {
    let choice = |(sorted, label)| Choice {
        label,
        href: first.sorted(sorted),
        on: sort.is_some() && Sort::parse(sorted).ok().as_ref() == sort,
    };
    SORTS.map(choice).into()
}

fn headings(first: &Address, sort: Option<&Sort>) -> Vec<Heading> {
    let columns = [
        (SortKey::Title, "Title", "", false),
        (SortKey::ReleaseYear, "Year", "number", true),
        (SortKey::MovieFormat, "Format", "", false),
        (SortKey::Length, "Length", "number", false),
        (SortKey::Rating, "Rating", "", true),
    ];
    let keys = sort.map(Sort::keys).unwrap_or_default();
    let by = keys.first().copied();
    let later = keys.get(1..).unwrap_or_default();
    let heading = |(key, label, class, best_first): (SortKey, _, _, bool)| {
        let descending = by.filter(|(first, _)| *first == key).map(|(_, descending)| descending);
        let sign = if descending.map_or(best_first, |descending| !descending) { "-" } else { "" };
        Heading {
            label,
            class,
            then: match later.iter().find(|(later, _)| *later == key) {
                None => "",
                Some((_, false)) => " then-up",
                Some((_, true)) => " then-down",
            },
            href: first.sorted(&format!("{sign}{}", key.as_str())),
            aria_sort: match descending {
                None => "none",
                Some(false) => "ascending",
                Some(true) => "descending",
            },
        }
    };
    columns.map(heading).into()
}
