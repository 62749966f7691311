//! The options of an import, in the form and as [`ImportOptions`].

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use super::questions::{Question, Select, questions};
use crate::{
    documents::{Choice, OnDuplicate, OnError, Source, TitleTooLong},
    domain::{Field, Invalid, MovieFormat, Violations},
    exchange::{
        Column, Encoding, ImportOptions, Survey, guess_columns, guess_encoding, is_known, is_name_of,
        likely_rating_scale,
    },
    format,
    http::extract::form::Form,
};

/// Values shown of a column.
const SAMPLES: usize = 3;

/// The maximum number of columns shown.
const MAX_COLUMNS: usize = 100;

/// Violations by the name of the control.
pub type Errors = BTreeMap<String, String>;

/// The submitted values.
#[derive(Default)]
pub struct Choices {
    given: Form,
    /// The columns of the file and their fields.
    pub columns: Vec<ColumnChoice>,
    /// Whether the columns were chosen or guessed, and not only taken from the layout.
    maps: bool,
    /// The best rating of a file without a layout of another service.
    pub rating_scale: Option<u8>,
    guessed_encoding: Option<Encoding>,
    /// What the file lacks, once it was read.
    pub survey: Option<Survey>,
    pub errors: Errors,
}

/// A column of the file.
pub struct ColumnChoice {
    pub name: String,
    /// Its first values.
    pub samples: String,
    /// Its field.
    pub field: Option<Field>,
}

impl ColumnChoice {
    /// Returns the choices: value, label, and whether it is selected.
    pub fn fields(&self) -> Vec<(&'static str, &'static str, bool)> {
        let field = |field: Field| (field.as_str(), format::field(field), self.field == Some(field));
        std::iter::once(("", "not used", self.field.is_none())).chain(Field::ALL.map(field)).collect()
    }
}

impl Choices {
    pub fn of(form: &Form) -> Self {
        Self { given: form.clone(), ..Self::default() }
    }

    /// Sets the columns of the file, with the submitted or guessed fields.
    pub fn take_columns(&mut self, mut columns: Vec<Column>) {
        columns.truncate(MAX_COLUMNS);
        let names: Vec<&str> = self.given.all("column").collect();
        let same = !names.is_empty() && names.iter().eq(columns.iter().map(|column| &column.name));
        let fields: Vec<Option<Field>> = if same {
            let given = self.given.all("columnIs").map(|field| Field::parse(field).ok());
            given.chain(std::iter::repeat(None)).take(columns.len()).collect()
        } else {
            let places = guess_columns(&columns, self.source());
            (0..columns.len()).map(|n| places.field_of(&Some(n))).collect()
        };
        // The columns of a known layout need no mapping.
        self.maps = same || !is_layout(&columns, self.source());
        let ratings = columns.iter().zip(&fields).find(|(_, field)| **field == Some(Field::Rating));
        self.rating_scale = ratings
            .filter(|_| !is_known(&columns, self.source()))
            .map(|(column, _)| likely_rating_scale(column).unwrap_or(5));
        let choice = |(column, field): (Column, Option<Field>)| ColumnChoice {
            samples: column.values.into_iter().take(SAMPLES).collect::<Vec<_>>().join(" · "),
            name: column.name,
            field,
        };
        self.columns = columns.into_iter().zip(fields).map(choice).collect();
    }

    /// Returns whether a column or the layout has the title.
    pub fn has_title(&self) -> bool {
        self.columns.is_empty() || self.columns.iter().any(|column| column.field == Some(Field::Title))
    }

    /// Returns the headings, if none is known: line 1 may be a film.
    pub fn unknown_headings(&self) -> Option<String> {
        let names = || self.columns.iter().map(|column| column.name.as_str());
        let is_known = |name| Field::ALL.into_iter().any(|field| is_name_of(name, field));
        let is_ours = self.survey.as_ref().is_some_and(|survey| survey.source == Source::Reelshelf);
        (is_ours && !self.columns.is_empty() && !names().any(is_known))
            .then(|| names().take(SAMPLES).collect::<Vec<_>>().join(", "))
    }

    /// Returns a column of ratings that no attribute takes, since its values are no ratings.
    pub fn unused_ratings(&self) -> Option<&str> {
        let is_read = self.columns.iter().any(|column| column.field == Some(Field::Rating));
        let mut unused = self.columns.iter().filter(|column| !is_read && column.field.is_none());
        unused.find(|column| is_name_of(&column.name, Field::Rating)).map(|column| column.name.as_str())
    }

    /// Returns what to do with long titles; the page's default is to shorten them.
    pub fn title_too_long(&self) -> TitleTooLong {
        TitleTooLong::parse(self.given(TitleTooLong::NAME)).unwrap_or(TitleTooLong::Truncate)
    }

    /// Returns what to do with invalid rows. The button shows how many films are imported and how many are
    /// not.
    pub fn on_error(&self) -> OnError {
        OnError::parse(self.given(OnError::NAME)).unwrap_or(OnError::Skip)
    }

    fn source(&self) -> Source {
        Source::parse(self.given(Source::NAME)).unwrap_or_default()
    }

    /// Returns the options for reading the file, or their violations.
    pub fn reading(&self) -> Result<ImportOptions, Errors> {
        let mut errors = Violations::default();
        let source = errors.check(self.word(Source::NAME, Source::parse));
        let encoding = errors.check(self.word("encoding", |name| Encoding::parse(name).map(Some)));
        let on_duplicate = errors.check(self.word(OnDuplicate::NAME, OnDuplicate::parse));
        let encoding = encoding.map(|encoding| encoding.or(self.guessed_encoding));
        let mut options = ImportOptions {
            on_error: self.on_error(),
            rating_scale: self.rating_scale,
            // In any case, also in our own layout, which is exact.
            formats: MovieFormat::ALL.map(|format| (format.as_str().to_lowercase(), format)).into(),
            ..ImportOptions::default()
        };
        if self.maps {
            for field in Field::ALL {
                let mut columns = self.columns.iter().filter(|column| column.field == Some(field));
                let Some(column) = columns.next() else {
                    options.unread.push(field);
                    continue;
                };
                if columns.next().is_some() {
                    let rule = format!("Only one column can be the {}", format::field(field));
                    errors.push(("columns".to_owned(), rule));
                }
                options.columns.insert(field, column.name.clone());
            }
        }
        let (source, encoding, on_duplicate) =
            errors.finish((source, encoding, on_duplicate)).map_err(Errors::from_iter)?;
        Ok(ImportOptions { source, encoding, on_duplicate, ..options })
    }

    /// Returns the options of the import with the answers, or their violations.
    pub fn options(&self) -> Result<ImportOptions, Errors> {
        let mut errors = Violations::default();
        let mut options = self.reading()?;
        for field in Field::ALL {
            let answer = self.answer(field);
            if !answer.is_empty()
                && let Err(invalid) = options.set_default(field, &answer)
            {
                errors.push((format!("default-{}", field.as_str()), invalid.reason.without_hints()));
            }
        }
        for (medium, format) in self.media() {
            if let Ok(format) = MovieFormat::parse(format) {
                options.formats.insert(medium.trim().to_lowercase(), format);
            }
        }
        options.title_too_long = self.title_too_long();
        errors.finish(()).map_err(Errors::from_iter)?;
        Ok(options)
    }

    /// Returns a selected value, or its default.
    fn word<T: Default>(
        &self,
        name: &str,
        parse: fn(&str) -> Result<T, Invalid>,
    ) -> Result<T, (String, String)> {
        match self.given.get(name) {
            "" => Ok(T::default()),
            text => parse(text).map_err(|invalid| (name.to_owned(), invalid.reason.without_hints())),
        }
    }

    /// Returns the value for an attribute that the file lacks; empty to leave the films out.
    pub fn answer(&self, field: Field) -> String {
        let control = format!("default-{}", field.as_str());
        let missing = self.survey.as_ref().is_some_and(|survey| survey.missing[field] > 0);
        let usual = match field {
            Field::MovieFormat => "DVD",
            Field::Length => "0",
            Field::Rating => "3",
            Field::Title | Field::ReleaseYear => "",
        };
        match self.given.find(&control) {
            // The button has a text field.
            Some("each") => self.given(&format!("each-{}", field.as_str())).trim().to_owned(),
            Some(given) => given.trim().to_owned(),
            None if missing => usual.to_owned(),
            None => String::new(),
        }
    }

    /// Returns whether an option is invalid.
    pub fn has_wrong_option(&self) -> bool {
        [Source::NAME, "encoding", OnDuplicate::NAME, "columns"]
            .iter()
            .any(|name| self.errors.contains_key(*name))
    }

    /// Returns the foreign media with the chosen or likely format; empty to leave the films out.
    pub fn media(&self) -> Vec<(String, &'static str)> {
        let given: Vec<(&str, &str)> = self.given.all("medium").zip(self.given.all("mediumIs")).collect();
        let of = |medium: &String| {
            let same = |(known, _): &&(&str, &str)| known.to_lowercase() == medium.to_lowercase();
            match given.iter().find(same) {
                Some((_, format)) => MovieFormat::parse(format).map_or("", MovieFormat::as_str),
                None => likely_format(medium).as_str(),
            }
        };
        let media = self.survey.as_ref().map(|survey| survey.media.as_slice()).unwrap_or_default();
        media.iter().map(|(medium, _)| (medium.clone(), of(medium))).collect()
    }

    /// Returns the violation of a control.
    pub fn error(&self, control: &str) -> Option<&String> {
        self.errors.get(control)
    }

    /// Returns a submitted value.
    pub fn given(&self, name: &str) -> &str {
        self.given.get(name)
    }

    /// Returns whether to import the watchlist.
    pub fn with_watchlist(&self) -> bool {
        self.given.find("watchlist").is_some()
    }

    /// Sets the encoding of a file that is not in UTF-8, unless the user chose one.
    pub fn guess_encoding(&mut self, file: impl Read) -> io::Result<()> {
        if self.given("encoding").is_empty() {
            self.guessed_encoding = guess_encoding(file)?;
        }
        Ok(())
    }

    /// Returns the label of the guessed encoding.
    pub fn guessed_encoding(&self) -> Option<&'static str> {
        let guessed = self.guessed_encoding?;
        let offered = Encoding::OFFERED.iter().find(|(name, _)| name.eq_ignore_ascii_case(guessed.as_str()));
        offered.map(|(_, label)| *label)
    }

    /// Returns the chosen or guessed encoding.
    pub fn encoding(&self) -> Option<Encoding> {
        Encoding::parse(self.given("encoding")).ok().or(self.guessed_encoding)
    }

    /// Returns the questions about what the file lacks.
    pub fn questions(&self) -> Vec<Question> {
        self.survey.as_ref().map(|survey| questions(survey, self)).unwrap_or_default()
    }

    /// Returns the controls for reading the file and its rows.
    pub fn rules(&self) -> [Select; 4] {
        [
            self.choice("Films that are on your shelf already", OnDuplicate::Skip),
            self.choice("If rows cannot be imported", OnError::Skip),
            self.choice("Source", Source::Auto),
            self.select("encoding", "Characters", Encoding::OFFERED.to_vec()),
        ]
    }

    /// Returns a control with all values of an option; the page's default comes first.
    fn choice<C: Choice>(&self, label: &'static str, default: C) -> Select {
        let others = C::ALL.iter().copied().filter(|choice| *choice != default);
        let choices = std::iter::once(default).chain(others);
        self.select(C::NAME, label, choices.map(|choice| (choice.as_str(), choice.label())).collect())
    }

    fn select(
        &self,
        name: &'static str,
        label: &'static str,
        options: Vec<(&'static str, &'static str)>,
    ) -> Select {
        let given = self.given.get(name);
        let option = |(value, label): (&'static str, &'static str)| (value, label.to_owned(), value == given);
        Select { name, label, options: options.into_iter().map(option).collect() }
    }
}

/// Returns whether a layout has these columns, so that nothing was guessed.
fn is_layout(columns: &[Column], source: Source) -> bool {
    let places = guess_columns(columns, source);
    let own = |field: &Field| {
        let place = places[*field];
        place.is_none_or(|n| columns[n].name.eq_ignore_ascii_case(field.as_str()))
    };
    is_known(columns, source) || Field::ALL.iter().all(own)
}

/// Returns the format closest to a medium.
fn likely_format(medium: &str) -> MovieFormat {
    let medium = medium.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| medium.contains(word));
    if has(&["vhs", "tape", "betamax", "video 2000", "kassette", "cassette"]) {
        MovieFormat::Vhs
    } else if has(&["stream", "digital", "netflix", "prime", "itunes", "download", "file", "plex", "vudu"]) {
        MovieFormat::Streaming
    } else {
        MovieFormat::Dvd
    }
}
