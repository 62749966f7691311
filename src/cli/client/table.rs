//! Tables for people: at most as wide as the terminal, and without escape sequences elsewhere.

use std::io::{self, Write};

use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets,
};

use super::words::shown;
use crate::{
    cli::output::Out,
    domain::{Attributes, Movie},
    format::{self, stars},
};

/// The output device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Where {
    Out,
    Err,
}

/// A column: its heading, and whether it is numeric.
pub type Column = (&'static str, bool);

const FILMS: [Column; 6] =
    [("id", true), ("title", false), ("format", false), ("length", true), ("year", true), ("rating", false)];
/// The column that shrinks on a narrow terminal.
const TITLE: usize = 1;
/// Its minimum width, including the space behind it.
const NARROWEST_TITLE: u16 = 18;
/// The space between columns.
const BETWEEN: u16 = 2;

/// Creates a table with these columns; numbers are aligned right.
#[must_use]
pub fn new(columns: &[Column], place: Where) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if place == Where::Err {
        table.use_stderr();
    }
    if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        let width = table.width();
        table.force_no_tty();
        if let Some(width) = width {
            table.set_width(width);
        }
    }
    table.set_header(columns.iter().map(|(name, _)| {
        let heading = Cell::new(name);
        if name.is_empty() { heading } else { heading.add_attribute(Attribute::Bold) }
    }));
    for (column, (_, is_number)) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, BETWEEN));
        if *is_number {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Formats a table, each line with its end.
#[must_use]
pub fn text(table: &Table) -> String {
    table.trim_fmt() + "\n"
}

/// Formats films as a table.
#[must_use]
pub fn of_films(movies: &[Movie], place: Where) -> Table {
    let mut table = new(&FILMS, place);
    table.add_rows(movies.iter().map(cells));
    let title = table.column_max_content_widths()[TITLE] + BETWEEN;
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_constraint(match at {
            TITLE => ColumnConstraint::LowerBoundary(Width::Fixed(title.min(NARROWEST_TITLE))),
            _ => ColumnConstraint::ContentWidth,
        });
    }
    table
}

fn cells(movie: &Movie) -> [String; 6] {
    let Attributes { title, movie_format, length, release_year, rating } = &movie.attributes;
    [
        movie.id.to_string(),
        shown(title.as_str()),
        movie_format.as_str().to_owned(),
        if length.get() == 0 { "–".to_owned() } else { format::length(length.get()) },
        release_year.get().to_string(),
        stars(rating.get()).to_owned(),
    ]
}

/// A table of any number of films. It is written in batches; columns never become narrower.
pub struct Long {
    held: Vec<Movie>,
    widths: Option<Vec<u16>>,
}

impl Long {
    /// Films in a batch.
    const BATCH_ROWS: usize = 1000;

    #[must_use]
    pub fn new() -> Self {
        Self { held: Vec::new(), widths: None }
    }

    /// Adds a film.
    pub fn add(&mut self, movie: Movie, out: &mut Out) -> io::Result<()> {
        self.held.push(movie);
        if self.held.len() == Self::BATCH_ROWS { self.finish(out) } else { Ok(()) }
    }

    /// Writes the remaining films.
    pub fn finish(&mut self, out: &mut Out) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let mut table = of_films(&self.held, Where::Out);
        if let Some(widths) = &self.widths {
            for (column, width) in table.column_iter_mut().zip(widths) {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(*width)));
            }
        }
        let text = text(&table);
        let heading = usize::from(self.widths.is_some()); // printed once, above the first batch
        for line in text.lines().skip(heading) {
            writeln!(out, "{line}")?;
        }
        self.widths = Some(
            table
                .column_iter()
                .zip(table.column_max_content_widths())
                .map(|(column, width)| width + column.padding_width())
                .collect(),
        );
        self.held.clear();
        Ok(())
    }
}
