//! Compares the catalogue with a naive model: a list of movies that is scanned for every query.

use std::{collections::BTreeMap, sync::LazyLock};

use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use reelshelf::{
    catalogue::{Catalogue, Counts, Facet},
    domain::{
        Attributes, Bounds, Cursor, FacetKey, Filter, FilterMatches, FuzzyScore, FuzzyTerm, Length, Movie,
        MovieFormat, MovieId, Rating, ReleaseYear, Sort, SortKey, Time, Title, fold, fuzzy_score,
    },
    limits::MAX_FUZZY_MOVIES,
};

const TITLES: [&str; 21] = [
    "Heat",
    "The Heat",
    "heat!",
    "Alien",
    "Aliens",
    "Alien 3",
    "Alien 10",
    "M*A*S*H",
    "Amélie",
    "amelie",
    "…",
    "千と千尋の神隠し",
    "A Silent Harbor",
    "Silent Hill",
    "Harbour Lights",
    "Terminator",
    "Spiderman",
    "Spider Man",
    "A bout",
    "À bout",
    "8½",
];
const SEARCHES: [&str; 18] = [
    "",
    "a",
    "al",
    "alie",
    "the",
    "silent harb",
    "heat alien",
    "3",
    "zzz",
    "harbro",
    "terminatro",
    "termniatro",
    "silnet harbuor",
    "silnet harbor",
    "spider man",
    "spiderman",
    "神隠し",
    "…",
];

/// All movies by id.
type Model = BTreeMap<MovieId, Movie>;

#[derive(Debug, Clone)]
enum Step {
    Put(Movie),
    Remove(MovieId),
}

fn movie() -> impl Strategy<Value = Movie> {
    let attributes = (prop::sample::select(&TITLES[..]), 0..3usize, 88..92i64, 1998..2002i64, 1..=5i64);
    (1..60i64, attributes, 1..4i64, 0..3i64, 0..4i64).prop_map(
        |(id, attributes, version, created, updated)| {
            let (title, format, length, year, rating) = attributes;
            Movie {
                id: MovieId::from_stored(id),
                attributes: Attributes {
                    title: Title::parse(title).unwrap(),
                    movie_format: MovieFormat::ALL[format],
                    length: Length::try_from(length).unwrap(),
                    release_year: ReleaseYear::try_from(year).unwrap(),
                    rating: Rating::try_from(rating).unwrap(),
                },
                version,
                created_at: Time::from_millis(created),
                updated_at: Time::from_millis(updated),
            }
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![4 => movie().prop_map(Step::Put), 1 => (1..60i64).prop_map(|id| Step::Remove(MovieId::from_stored(id)))];
    prop::collection::vec(step, 0..150)
}

fn bounds(least: i64, most: i64) -> impl Strategy<Value = Bounds> {
    let end = move || prop::option::of(least..=most);
    (end(), end()).prop_map(|(one, other)| match (one, other) {
        (Some(one), Some(other)) => Bounds { min: Some(one.min(other)), max: Some(one.max(other)) },
        (min, max) => Bounds { min, max },
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let formats = prop::sample::subsequence(MovieFormat::ALL.to_vec(), 0..3);
    let search = prop::sample::select(&SEARCHES[..]);
    (search, formats, bounds(87, 93), bounds(1997, 2003), bounds(1, 5)).prop_map(
        |(search, movie_formats, length, release_year, rating)| {
            let mut filter = Filter { movie_formats, length, release_year, rating, ..Filter::default() };
            filter.search(search).unwrap();
            filter
        },
    )
}

fn sort() -> impl Strategy<Value = Sort> {
    let keys = prop::sample::subsequence(SortKey::ALL.to_vec(), 1..4).prop_shuffle();
    (keys, prop::collection::vec(any::<bool>(), 4)).prop_map(|(keys, descending)| {
        let keys = keys.iter().zip(descending);
        let keys: Vec<String> = keys
            .map(|(key, descending)| format!("{}{}", if descending { "-" } else { "" }, key.as_str()))
            .collect();
        Sort::parse(&keys.join(",")).unwrap()
    })
}

/// Applies steps to a catalogue and a model; a part of the movies is bulk loaded.
fn built(steps: &[Step]) -> (Catalogue, Model) {
    let (mut catalogue, mut model) = (Catalogue::default(), Model::new());
    for (n, step) in steps.iter().enumerate() {
        if n == steps.len() / 2 {
            catalogue = loaded(&model);
        }
        match step {
            Step::Put(movie) => {
                catalogue.put(movie);
                model.insert(movie.id, movie.clone());
            }
            Step::Remove(id) => assert_eq!(catalogue.remove(*id), model.remove(id).is_some()),
        }
    }
    (catalogue, model)
}

/// Bulk loads a catalogue in batches.
fn loaded(model: &Model) -> Catalogue {
    let loading = Catalogue::loading().unwrap();
    let movies: Vec<Movie> = model.values().cloned().collect();
    movies.chunks(50).for_each(|movies| loading.push(movies.to_vec()));
    loading.finish().unwrap()
}

/// Returns the matching movies in order.
fn found(model: &Model, filter: &Filter, sort: &Sort) -> Vec<Movie> {
    let mut movies: Vec<Movie> = model.values().filter(|movie| filter.finds(movie)).cloned().collect();
    movies.sort_by(|one, other| sort.compare(one, other));
    movies
}

/// Returns the movies of a fuzzy search, the nearest first.
fn fuzzy_matches(model: &Model, filter: &Filter) -> Vec<Movie> {
    let typed: Vec<FuzzyTerm> = filter.words.iter().map(|word| FuzzyTerm::new(word)).collect();
    let mut near: Vec<(FuzzyScore, Movie)> = Vec::new();
    if typed.iter().any(|typed| typed.automaton().is_some()) {
        let others = Filter { words: Vec::new(), ..filter.clone() };
        for movie in found(model, &others, &Sort::of(SortKey::Title)) {
            near.extend(fuzzy_score(&typed, movie.attributes.title.as_str()).map(|score| (score, movie)));
        }
    }
    near.sort_by_key(|(score, _)| *score);
    near.into_iter().map(|(_, movie)| movie).take(MAX_FUZZY_MOVIES).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pages_are_those_of_the_model(steps in steps(), filter in filter(), sort in sort(), limit in 1..7usize) {
        let (catalogue, model) = built(&steps);
        let expected = found(&model, &filter, &sort);
        let mut pages: Vec<Movie> = Vec::new();
        loop {
            let after = pages.last().map(|last| Cursor::after(last, &sort));
            let page = catalogue.page(&filter, &sort, after.as_ref(), limit);
            pages.extend_from_slice(&page);
            if page.len() < limit {
                break;
            }
        }
        prop_assert_eq!(pages, expected);
    }

    #[test]
    fn a_page_goes_on_behind_a_movie_that_is_gone(
        steps in steps(), gone in movie(), filter in filter(), sort in sort()
    ) {
        let (catalogue, model) = built(&steps);
        let mut expected = found(&model, &filter, &sort);
        expected.retain(|movie| sort.compare(movie, &gone).is_gt());
        expected.truncate(5);
        prop_assert_eq!(catalogue.page(&filter, &sort, Some(&Cursor::after(&gone, &sort)), 5), expected);
    }

    #[test]
    fn counts_are_those_of_the_model(steps in steps(), filter in filter()) {
        let (catalogue, model) = built(&steps);
        let passing = |pass: fn(FilterMatches) -> bool| {
            let (words, spellings) = (filter.words.clone(), filter.spellings.clone());
            let search = Filter { words, spellings, ..Filter::default() };
            let filter = &filter;
            Counts::of(model.values().filter(move |movie| search.finds(movie) && pass(filter.passes(&FacetKey::of(movie)))))
        };
        let all = passing(FilterMatches::all);
        prop_assert_eq!(catalogue.len(), model.len());
        prop_assert_eq!(i64::try_from(catalogue.count(&filter)).unwrap(), all.movies);
        prop_assert_eq!(catalogue.counts(&filter), all.clone());
        let mut ids = catalogue.ids(&filter);
        ids.sort_unstable();
        let expected: Vec<MovieId> = model.values().filter(|movie| filter.finds(movie)).map(|movie| movie.id).collect();
        prop_assert_eq!(ids, expected);

        let counts = catalogue.facet_counts(&filter);
        prop_assert_eq!(counts.movies, all.movies);
        let but_one = [
            (Facet::MovieFormat, passing(|p| p.length && p.release_year && p.rating)),
            (Facet::Length, passing(|p| p.movie_format && p.release_year && p.rating)),
            (Facet::ReleaseYear, passing(|p| p.movie_format && p.length && p.rating)),
            (Facet::Rating, passing(|p| p.movie_format && p.length && p.release_year)),
        ];
        for (facet, expected) in but_one {
            prop_assert!(counts.by_value(facet).eq(expected.by_value(facet)), "{facet:?}");
        }
    }

    #[test]
    fn single_movies_are_those_of_the_model(steps in steps(), filter in filter(), seed in any::<u64>()) {
        let (catalogue, model) = built(&steps);
        for id in (0..62).map(MovieId::from_stored) {
            prop_assert_eq!(catalogue.get(id), model.get(&id).cloned());
        }
        let picked = catalogue.random(&filter, &mut SmallRng::seed_from_u64(seed));
        match picked {
            Some(movie) => prop_assert!(filter.finds(&movie) && model.get(&movie.id) == Some(&movie)),
            None => prop_assert!(!model.values().any(|movie| filter.finds(movie))),
        }
        for title in TITLES.map(|title| Title::parse(title).unwrap()) {
            let year = ReleaseYear::try_from(2000).unwrap();
            let same = |movie: &&Movie| {
                movie.attributes.release_year == year && fold(movie.attributes.title.as_str()) == fold(title.as_str())
            };
            let expected: Vec<Movie> = model.values().filter(same).cloned().collect();
            prop_assert_eq!(catalogue.duplicates(&title, year), expected);
        }
    }

    #[test]
    fn near_movies_are_those_of_the_model(steps in steps(), filter in filter()) {
        let (catalogue, model) = built(&steps);
        prop_assert_eq!(catalogue.fuzzy_matches(&filter), fuzzy_matches(&model, &filter));
    }
}

/// Enough movies to use every strategy of pages, every representation of sets, and runs of equal times that
/// are too long to sort.
const MANY: i64 = 12_000;

/// Many movies, some of them changed after the load.
fn many() -> &'static (Catalogue, Model) {
    static MANY_MOVIES: LazyLock<(Catalogue, Model)> = LazyLock::new(|| {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut movie = |id: i64| {
            let title = TITLES[rng.random_range(0..TITLES.len())];
            let title =
                if rng.random() { title.to_owned() } else { format!("{title} {}", rng.random_range(1..40)) };
            Movie {
                id: MovieId::from_stored(id),
                attributes: Attributes {
                    title: Title::parse(&title).unwrap(),
                    movie_format: MovieFormat::ALL[rng.random_range(0..3)],
                    length: Length::try_from(rng.random_range(88..92)).unwrap(),
                    release_year: ReleaseYear::try_from(rng.random_range(1998..2002)).unwrap(),
                    rating: Rating::try_from(rng.random_range(1..=5)).unwrap(),
                },
                version: 1,
                created_at: Time::from_millis(id % 2),
                updated_at: Time::from_millis(rng.random_range(0..MANY)),
            }
        };
        let mut model: Model = (1..=MANY).map(|id| (MovieId::from_stored(id), movie(id))).collect();
        let mut catalogue = loaded(&model);
        for search in SEARCHES {
            // The catalogue remembers the results, which the changes below must reach.
            let mut filter = Filter::default();
            filter.search(search).unwrap();
            assert_eq!(catalogue.count(&filter), found(&model, &filter, &Sort::default()).len() as u64);
        }
        for n in 0..MANY / 4 {
            let id = n * 7 % (MANY + 500) + 1;
            if n % 3 == 0 {
                let id = MovieId::from_stored(id);
                assert_eq!(catalogue.remove(id), model.remove(&id).is_some());
            } else {
                let movie = movie(id);
                catalogue.put(&movie);
                model.insert(movie.id, movie);
            }
        }
        (catalogue, model)
    });
    &MANY_MOVIES
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn near_movies_of_many_are_those_of_the_model(filter in filter()) {
        let (catalogue, model) = many();
        prop_assert_eq!(catalogue.fuzzy_matches(&filter), fuzzy_matches(model, &filter));
    }

    #[test]
    fn pages_of_many_movies_are_those_of_the_model(
        filter in filter(), sort in sort(), start in 0..MANY, limit in prop::sample::select(&[1, 50, 1000][..])
    ) {
        let (catalogue, model) = many();
        let mut expected = found(model, &filter, &sort);
        prop_assert_eq!(catalogue.count(&filter), expected.len() as u64);
        prop_assert_eq!(&catalogue.page(&filter, &sort, None, limit)[..], &expected[..limit.min(expected.len())]);
        let after = model.range(MovieId::from_stored(start)..).next().map(|(_, movie)| movie).unwrap();
        expected.retain(|movie| sort.compare(movie, after).is_gt());
        expected.truncate(limit);
        prop_assert_eq!(catalogue.page(&filter, &sort, Some(&Cursor::after(after, &sort)), limit), expected);
    }
}
