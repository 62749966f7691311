//! `add`: from options, or asked for field by field.

use serde_json::json;

use super::{environment, json, reelshelf};
use crate::{
    on_both,
    support::{films::attributes_of, movie, terminal::Terminal},
};

on_both! {
    async fn a_film_is_added_from_options(service: &Service) {
        let add = ["add", "--title", " Heat ", "--year", "1995", "--format", "dvd", "--length", "2h50", "--rating", "5"];
        assert_eq!(reelshelf(service, &add).expect(0).out, "Added 1 Heat (1995, DVD).\n");
        assert_eq!(attributes_of(&service.get("/movie/1").await.json()), movie("Heat", "DVD", 170, 1995, 5));
        let again = reelshelf(service, &[&add[..], &["--json"]].concat()).expect(1);
        assert_eq!(again.err, "There is already 1 Heat (1995, DVD).\nreelshelf: nothing was added; --yes adds the film anyway\n");
        let again = reelshelf(service, &[&add[..], &["--json", "--yes"]].concat()).expect(0);
        assert_eq!(json(&again)["id"], 2);
        assert_eq!(again.err, "There is already 1 Heat (1995, DVD).\n");
        let on_tape = add.map(|word| if word == "dvd" { "vhs" } else { word });
        let tape = reelshelf(service, &on_tape).expect(0);
        assert_eq!(tape.out, "Added 3 Heat (1995, VHS).\n", "another format is no duplicate");
    }
}

on_both! {
    async fn without_a_terminal_all_that_is_missing_is_named(service: &Service) {
        let missing = reelshelf(service, &["add", "--title", "Heat", "--rating", "5"]).expect(2);
        assert!(missing.err.contains("--year, --format, --length must be given"), "{}", missing.err);
        for (option, value) in [("--title", ""), ("--title", "a\tb"), ("--year", "1799"), ("--format", "Blu-ray"), ("--length", "8h21"), ("--rating", "0")] {
            let refused = reelshelf(service, &["add", option, value]).expect(2);
            assert!(refused.err.contains(option), "{}", refused.err);
        }
        assert_eq!(service.get("/movie").await.json(), json!([]));
    }
}

on_both! {
    async fn a_terminal_is_asked_again_with_the_reason(service: &Service) {
        service.add("Héat", "VHS", 170, 1995, 5).await;
        let mut terminal = Terminal::start(80, &["add", "--rating", "5"], &environment(service));
        terminal.answer("Title:", "");
        terminal.await_text("It must not be empty.");
        terminal.answer("Title:", "Heat");
        terminal.answer("Release year:", "1799");
        terminal.await_text("It must be between 1800 and 2100, got 1799.");
        terminal.answer("Release year:", "1995");
        terminal.await_text("There is already 1 Héat (1995, VHS).");
        terminal.answer("Add another one? [y/N]", "y");
        terminal.answer("Format", "Blu-ray");
        terminal.await_text("It must be VHS, DVD or Streaming");
        terminal.answer("Format", "dvd");
        terminal.answer("Length", "long");
        terminal.await_text("It must be a length");
        terminal.answer("Length", "2:50");
        let shown = terminal.ended().expect(0).out;
        assert!(shown.ends_with("Added 2 Heat (1995, DVD).\n") && !shown.contains("Rating"), "{shown}");
        assert_eq!(attributes_of(&service.get("/movie/2").await.json()), movie("Heat", "DVD", 170, 1995, 5));

        let mut terminal = Terminal::start(80, &["add"], &environment(service));
        terminal.await_text("Title:");
        terminal.type_keys("\u{4}");
        assert!(terminal.ended().expect(1).out.contains("nothing was changed"));
        assert_eq!(service.titles("/movie").await.len(), 2);
    }
}

on_both! {
    async fn the_title_needs_no_option(service: &Service) {
        let rest = ["--year", "1995", "--format", "DVD", "--length", "170", "--rating", "5"];
        for (title, added) in [(&["Heat"][..], "1 Heat"), (&["The", "Usual Suspects"], "2 The Usual Suspects"), (&["--", "-30-"], "3 -30-")] {
            let arguments = [&["add"], &rest[..], title].concat();
            assert_eq!(reelshelf(service, &arguments).expect(0).out, format!("Added {added} (1995, DVD).\n"));
        }
        for wrong in [&["add", "Heat", "--title", "Heat"][..], &["add", ""], &["add", &"x".repeat(51)]] {
            reelshelf(service, &[wrong, &rest[..]].concat()).expect(2);
        }
        let hyphen = reelshelf(service, &["add", "-30-"]).expect(2).err;
        assert!(hyphen.contains("'-30-' found") && hyphen.contains("behind '--': -- -30-\n"), "{hyphen}");
        let mut terminal = Terminal::start(80, &["add", "Ronin", "--format", "DVD"], &environment(service));
        terminal.answer("Release year:", "1998");
        terminal.answer("Length", "122");
        terminal.answer("Rating", "4");
        assert!(terminal.ended().expect(0).out.ends_with("Added 4 Ronin (1998, DVD).\n"));
    }
}

on_both! {
    async fn a_terminal_is_asked_before_a_film_is_added_twice(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let add = ["add", "heat", "--year", "1995", "--format", "DVD", "--length", "170", "--rating", "5"];
        for answer in ["n", "", "\u{4}"] {
            let mut terminal = Terminal::start(80, &add, &environment(service));
            terminal.await_text("There is already 1 Heat (1995, DVD).");
            terminal.answer("Add another one? [y/N]", answer);
            terminal.ended().expect(1);
            assert_eq!(service.titles("/movie").await.len(), 1, "{answer:?}");
        }
        let done = Terminal::start(80, &[&add[..], &["-y"]].concat(), &environment(service)).ended().expect(0).out;
        assert!(done.contains("Added 2 heat") && !done.contains("[y/N]"), "{done}");
    }
}
