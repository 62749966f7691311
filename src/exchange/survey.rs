//! Surveys a file before an import: its columns, missing values and media.

use std::io::{Read, Seek};

use super::{
    Encoding, FileKind, ImportOptions, Rows, csv, hints,
    layouts::{Layout, SPREADSHEET, SPREADSHEET_RATINGS, Scale, place},
    record::Outcome,
    text,
};
use crate::{
    documents::{Source, TitleTooLong},
    domain::{Field, Invalid, Length, MovieFormat, MoviePatch, PerField, Title},
};

/// The number of rows used to guess columns.
const ROWS_LOOKED_AT: usize = 100;

/// The maximum number of foreign media listed.
const MAX_MEDIA: usize = 30;

/// A column of a CSV file with the values of its first rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Non-blank values, shortened to 100 characters.
    pub values: Vec<String>,
}

/// What the rows of a file lack. Rows that are not films are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    pub source: Source,
    /// Rows that are or may be films.
    pub films: u64,
    /// Rows that are not films.
    pub others: u64,
    /// The number of films that lack each attribute.
    pub missing: PerField<u64>,
    /// Foreign media with their numbers of films.
    pub media: Vec<(String, u64)>,
    /// The number of titles that are too long.
    pub long_titles: u64,
}

/// Returns the columns of a CSV file with the values of its first rows.
///
/// # Errors
/// If the file has no header or is not text.
pub fn table<R: Read + Seek>(file: R, encoding: Option<Encoding>) -> Result<Vec<Column>, Invalid> {
    let columns = csv::table(text::open(file, encoding)?.0, ROWS_LOOKED_AT)?;
    Ok(columns.into_iter().map(|(name, values)| Column { name, values }).collect())
}

/// Guesses the column of each attribute from the layout, or else from the column's name in several languages
/// or its values.
#[must_use]
pub fn guess_columns(columns: &[Column], source: Source) -> PerField<Option<usize>> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let layout =
        Layout::of_source(source, &names).or_else(|| Layout::of_header(&names)).unwrap_or(&SPREADSHEET);
    let mut places =
        PerField::from_fn(|field| layout.columns[field].iter().find_map(|name| place(name, &names)));
    if layout.source != Source::Reelshelf {
        return places;
    }
    let is_free = |places: &PerField<Option<usize>>, n: usize| places.field_of(&Some(n)).is_none();
    // The title last, since any text could be one.
    let fields = [Field::ReleaseYear, Field::MovieFormat, Field::Length, Field::Rating, Field::Title];
    for by_name in [true, false] {
        for field in fields {
            if places[field].is_some() {
                continue;
            }
            let fits = |column: &Column| {
                if by_name {
                    hints::is_name_of(&column.name, field) && may_hold(field, column)
                } else {
                    seems_to_hold(field, column)
                }
            };
            places[field] = columns
                .iter()
                .enumerate()
                .find(|(n, column)| is_free(&places, *n) && fits(column))
                .map(|(n, _)| n);
        }
    }
    places
}

/// Returns the best rating of a column with ratings: 5, or 10 or 100 if many are above 5. A few are rather typing
/// errors.
#[must_use]
pub fn likely_rating_scale(column: &Column) -> Option<u8> {
    let share_up_to = |most: u8| {
        let scale = Scale { most: most.into(), ..SPREADSHEET_RATINGS };
        share(column, |value| scale.rating(value).is_ok())
    };
    let up_to_five = share_up_to(5);
    let larger = [10, 100].into_iter().find(|most| up_to_five <= 60 && share_up_to(*most) >= 90);
    larger.or_else(|| (up_to_five >= 50).then_some(5))
}

/// Returns whether the columns are those of another service.
#[must_use]
pub fn is_known(columns: &[Column], source: Source) -> bool {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let layout = Layout::of_source(source, &names).or_else(|| Layout::of_header(&names));
    layout.is_some_and(|layout| layout.source != Source::Reelshelf)
}

/// Returns whether most values of a column are valid for an attribute.
fn may_hold(field: Field, column: &Column) -> bool {
    match field {
        // Any text can be a title.
        Field::Title => true,
        Field::MovieFormat => !column.values.is_empty() && distinct(column) <= MAX_MEDIA,
        Field::Rating => column.values.is_empty() || likely_rating_scale(column).is_some(),
        _ => column.values.is_empty() || share(column, |value| is_value_of(field, value)) >= 50,
    }
}

/// Returns whether the values of a column strongly suggest an attribute.
fn seems_to_hold(field: Field, column: &Column) -> bool {
    let is_text = |value: &str| value.chars().filter(|c| c.is_alphabetic()).count() >= 2;
    !column.values.is_empty()
        && match field {
            Field::Title => share(column, is_text) >= 80 && distinct(column) * 10 >= column.values.len() * 8,
            // Small numbers may also count discs or rows.
            Field::Rating => {
                let counts_up = column.values.is_sorted_by(|one, other| one < other);
                distinct(column) >= 3 && !counts_up && share(column, |value| is_value_of(field, value)) >= 90
            }
            _ => share(column, |value| is_value_of(field, value)) >= 90,
        }
}

fn is_value_of(field: Field, value: &str) -> bool {
    let number = value.parse::<i64>().ok();
    match field {
        Field::Title => true,
        Field::MovieFormat => {
            let medium = value.to_lowercase();
            MovieFormat::parse_any_case(value).is_ok()
                || ["vhs", "dvd", "blu", "stream"].iter().any(|m| medium.contains(m))
        }
        // Small plain numbers are probably not lengths.
        Field::Length => {
            let is_likely = number.map_or_else(
                || value.contains(|c: char| c == ':' || c == '\'' || c.is_alphabetic()),
                |minutes| minutes == 0 || minutes >= 20,
            );
            is_likely && Length::parse(value).is_ok()
        }
        Field::ReleaseYear => number.is_some_and(|year| (1880..=2100).contains(&year)),
        Field::Rating => number.is_some_and(|stars| (1..=5).contains(&stars)),
    }
}

/// Returns the percentage of values that pass a test.
fn share(column: &Column, test: impl Fn(&str) -> bool) -> usize {
    column.values.iter().filter(|value| test(value)).count() * 100 / column.values.len().max(1)
}

fn distinct(column: &Column) -> usize {
    column.values.iter().collect::<std::collections::HashSet<_>>().len()
}

/// Reads a whole file and counts what its rows lack, without defaults.
///
/// # Errors
/// If the file cannot be read or ends within a row.
pub fn survey<R: Read + Seek>(file: R, kind: FileKind, options: &ImportOptions) -> Result<Survey, Invalid> {
    let options = ImportOptions {
        defaults: MoviePatch::default(),
        title_too_long: TitleTooLong::Error,
        ..options.clone()
    };
    let mut rows = Rows::open(file, kind, &options)?;
    let mut report = rows.report();
    let mut survey = Survey { source: report.source.known().unwrap_or_default(), ..Survey::default() };
    while let Some((_, outcome)) = rows.next(&mut report)? {
        match outcome {
            Outcome::NoFilm(_) => continue,
            Outcome::Movie(..) => {}
            Outcome::Rejected(errors) => {
                for error in &errors {
                    if let Some(field) = error.missing() {
                        survey.missing[field] += 1;
                    } else if let Some(medium) = error.unknown_medium() {
                        survey.meet(medium);
                    } else if error.field.as_deref() == Some(Field::Title.as_str()) {
                        let cut = error.value.as_deref().is_some_and(|title| Title::excess(title) > 0);
                        survey.long_titles += u64::from(cut);
                    }
                }
            }
        }
        survey.films += 1;
    }
    survey.others = report.skipped;
    Ok(survey)
}

impl Survey {
    fn meet(&mut self, medium: &str) {
        let lower = medium.to_lowercase();
        match self.media.iter().position(|(known, _)| known.to_lowercase() == lower) {
            Some(place) => self.media[place].1 += 1,
            None if self.media.len() < MAX_MEDIA => self.media.push((medium.to_owned(), 1)),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn guessed(file: &str) -> Vec<Option<usize>> {
        let columns = table(Cursor::new(file.as_bytes().to_vec()), None).unwrap();
        guess_columns(&columns, Source::Auto).values().copied().collect()
    }

    #[test]
    fn columns_are_guessed_by_their_names_in_five_languages() {
        for header in [
            "Film;Medium;Dauer (Min.);Jahr;Bewertung",
            "Name;Media;Running time;Year;Stars",
            "Titre;Support;Durée;Année;Note",
            "Título;Formato;Duración;Año;Puntuación",
            "Titolo;Supporto;Durata;Anno;Voto",
            "TITEL;Datenträger;Laufzeit;Erscheinungsjahr;Wertung",
        ] {
            let file = format!("{header}\nHeat;DVD;170;1995;5\n");
            assert_eq!(guessed(&file), [Some(0), Some(1), Some(2), Some(3), Some(4)], "{header}");
        }
    }

    #[test]
    fn columns_are_guessed_by_their_values_where_names_say_nothing() {
        let file =
            "a,b,c,d,e,f\n1,Heat,1995,DVD,2:50,4\n2,Alien,1979,VHS,1:57,5\n3,Brazil,1985,Blu-ray,142 min,3\n";
        assert_eq!(guessed(file), [Some(1), Some(3), Some(4), Some(2), Some(5)]);
        // A matching name counts only if the values fit.
        let file = "Title,Note,Year,Discs\nHeat,as new,1995,2\nAlien,lent to Zoe,1979,1\n";
        assert_eq!(guessed(file), [Some(0), None, None, Some(2), None]);
        let file = "Film,Bewertung\nHeat,850\nAlien,1200\n";
        assert_eq!(guessed(file), [Some(0), None, None, None, None]);
        assert_eq!(guessed("x,y\n"), [None; 5]);
    }

    #[test]
    fn the_scale_of_ratings_is_guessed_unless_a_few_are_above_five() {
        for (values, scale) in [
            (&["3,5", "4", "★★"][..], Some(5)),
            (&["9.5", "8", "4"], Some(10)),
            (&["8/10", "4 stars", "70 %"], Some(5)), // each names its own scale
            (&["85", "70", "9"], Some(100)),
            (&["5", "4", "9"], Some(5)),
            (&["850", "1200"], None),
            (&["good", "bad"], None),
            (&[], None),
        ] {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            assert_eq!(
                likely_rating_scale(&Column { name: "Bewertung".to_owned(), values: values.clone() }),
                scale,
                "{values:?}"
            );
        }
    }

    #[test]
    fn a_known_layout_is_not_guessed_at() {
        let file = "Date,Name,Year,Letterboxd URI,Rating\n2020-01-01,Heat,1995,https://boxd.it/1,5\n";
        assert_eq!(guessed(file), [Some(1), None, None, Some(2), Some(4)]);
        let ours = "title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,5\n";
        assert_eq!(guessed(ours), [Some(0), Some(1), Some(2), Some(3), Some(4)]);
    }

    #[test]
    fn what_is_missing_is_counted() {
        let file = "Title,Movie Release Year,Running Time,Format,My Rating\nHeat,1995,170 mins,DVD,10\n\
                    Boot,1981,149 mins,VHS,0\nBrazil,1985,,Blu-ray,7\nAlien,1979,,blu-ray,0\n";
        let found = survey(Cursor::new(file.as_bytes()), FileKind::Csv, &ImportOptions::default()).unwrap();
        assert_eq!((found.source, found.films, found.others), (Source::Clz, 4, 0));
        assert_eq!(found.missing, PerField { length: 2, rating: 2, ..PerField::default() });
        assert_eq!(found.media, [("Blu-ray".to_owned(), 2)]);
        // A title that is too long counts whatever else the row lacks.
        let long = "x".repeat(51);
        let file = format!("Date,Name,Year,Letterboxd URI\n2020-01-01,{long},1995,u\n");
        let found = survey(Cursor::new(file.as_bytes()), FileKind::Csv, &ImportOptions::default()).unwrap();
        let missing = PerField { movie_format: 1, length: 1, rating: 1, ..PerField::default() };
        assert_eq!((found.long_titles, found.missing), (1, missing));
        let file = "Const,Title,Title Type,Year,Runtime (mins),Your Rating\ntt1,Heat,movie,1995,170,9\ntt2,Lost,tvSeries,2004,44,8\n";
        let found = survey(Cursor::new(file.as_bytes()), FileKind::Csv, &ImportOptions::default()).unwrap();
        let missing = PerField { movie_format: 1, ..PerField::default() };
        assert_eq!((found.films, found.others, found.missing), (1, 1, missing));
    }
}
