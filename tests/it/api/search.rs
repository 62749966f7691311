//! Searching titles by the beginnings of their words.

use serde_json::json;

use crate::on_both;

pub fn path(to: &str, search: &str) -> String {
    form_urlencoded::Serializer::new(format!("{to}?")).append_pair("q", search).finish()
}

on_both! {
    async fn every_word_begins_a_word_of_the_title(service: &Service) {
        for title in [
            "Amélie", "The Lord of the Rings", "M*A*S*H", "L'Avventura", "20,000 Leagues Under the Sea", "Straße",
            "الرسالة", "Spider-Man", "100% Wolf", "Zodiac",
        ] {
            service.add(title, "DVD", 100, 2000, 3).await;
        }
        for (search, found) in [
            ("amelie", &["Amélie"][..]),
            ("AMÉLIE", &["Amélie"]),
            ("Ame\u{301}l", &["Amélie"]),
            ("lord ring", &["The Lord of the Rings"]),
            ("ring LORD", &["The Lord of the Rings"]),
            ("rings of the lord", &["The Lord of the Rings"]),
            ("the", &["The Lord of the Rings", "20,000 Leagues Under the Sea"]),
            ("lo lo", &["The Lord of the Rings"]),
            ("mash", &["M*A*S*H"]),
            ("m*a*s*h", &["M*A*S*H"]),
            ("avventura", &["L'Avventura"]),
            ("l'avv", &["L'Avventura"]),
            ("20000", &["20,000 Leagues Under the Sea"]),
            ("strass", &["Straße"]),
            ("STRAẞE", &["Straße"]),
            ("الر", &["الرسالة"]),
            ("spiderman", &["Spider-Man"]),
            ("man spider", &["Spider-Man"]),
            ("100%", &["100% Wolf"]),
            ("l", &["The Lord of the Rings", "L'Avventura", "20,000 Leagues Under the Sea"]),
        ] {
            let answer = service.get(&path("/movie", search)).await;
            assert_eq!((answer.status, answer.header("reelshelf-match")), (200, "exact"), "{search}");
            assert_eq!(service.titles(&path("/movie", search)).await, found, "{search}");
        }
        assert_eq!(service.get("/movie").await.headers.get("reelshelf-match"), None);
    }
}

on_both! {
    async fn a_search_goes_together_with_filters_orders_and_pages(service: &Service) {
        for (n, format) in (0..).zip(["DVD", "VHS", "DVD"]) {
            service.add(&format!("Alien {n}"), format, 100, 2000 + n, 3).await;
        }
        service.add("Zodiac", "DVD", 100, 2001, 3).await;
        for (query, found) in [
            ("q=alien&movieFormat=DVD", &["Alien 0", "Alien 2"][..]),
            ("q=alien&sort=-title", &["Alien 2", "Alien 1", "Alien 0"]),
            ("q=alien&releaseYear=2001", &["Alien 1"]),
            ("q=alien&limit=2", &["Alien 0", "Alien 1"]),
        ] {
            assert_eq!(service.titles(&format!("/movie?{query}")).await, found, "{query}");
        }
        let counted = service.get("/movie?q=alien&total=true&limit=1").await;
        assert_eq!((counted.header("x-total-count"), counted.header("reelshelf-match")), ("3", "exact"));
        assert_eq!(service.get("/stats?q=alien").await.json()["movies"], 3);
    }
}

on_both! {
    async fn a_search_follows_a_new_title_and_a_delete(service: &Service) {
        service.add("Nosferatu", "VHS", 94, 1922, 5).await;
        service.add("Metropolis", "VHS", 153, 1927, 5).await;
        service.patch("/movie/1", &json!({"rating": 4})).await;
        assert_eq!(service.titles("/movie?q=nosf").await, ["Nosferatu"]);
        service.patch("/movie/1", &json!({"title": "Symphonie des Grauens"})).await;
        assert_eq!(service.titles("/movie?q=grau%20sym").await, ["Symphonie des Grauens"]);
        assert!(service.titles("/movie?q=nosferatu").await.is_empty());
        assert_eq!(service.delete("/movie/1").await.status, 204);
        assert!(service.titles("/movie?q=symphonie").await.is_empty());
        assert_eq!(service.titles("/movie?q=metro").await, ["Metropolis"]);
    }
}

on_both! {
    async fn no_search_text_is_more_than_a_text(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let letters: String = ('a'..='z').chain('α'..='ω').chain('а'..='я').flat_map(|c| [c, ' ']).take(200).collect();
        for text in [
            "", " ", "\"", "'", "''", "\"heat", "heat\"", "*", "h*", "%", "h%", "_", "____", "heat:*", ":*", "&", "|", "!",
            "!heat", "()", "(", "heat & !alien | (", "<->", "\\", "\\'", "\\\\", "\0", "he\0at", "NEAR", "NEAR(heat 5)",
            "heat NEAR/5 alien", "heat AND", "OR", "NOT heat", "title:heat", "{title} : heat", "^heat", "heat + alien",
            "-heat", "'; DROP TABLE movies; --", "' OR '1'='1", "$1", "?", "%s", "{}", "\u{10ffff}", "\u{fdd0}", "\u{feff}",
            "\u{202e}taeh", "\u{301}", "🎬", "ﷺ", "\r\n", "\t", "heat\u{10ffff}", "ｈｅａｔ", &"ﷺ".repeat(200), &"a b ".repeat(50),
            &letters,
        ] {
            for to in ["/movie", "/stats", "/movie/random"] {
                let answer = service.get(&path(to, text)).await;
                let fine = answer.status == 200 || answer.status == 404 && to == "/movie/random";
                assert!(fine, "{text:?}: {answer:?}");
            }
        }
        for bytes in ["%FF", "%C3", "%00", "%ED%A0%80", "%", "%zz"] {
            let answer = service.get(&format!("/movie?q={bytes}")).await;
            assert!(matches!(answer.status, 200 | 400), "{bytes}: {answer:?}");
        }
        assert_eq!(service.titles("/movie?q=heat").await, ["Heat"]);
    }
}

on_both! {
    async fn a_search_is_as_long_as_two_hundred_characters(service: &Service) {
        assert_eq!(service.get(&path("/movie", &"é".repeat(200))).await.status, 200);
        assert_eq!(service.get(&path("/movie", &"é".repeat(201))).await.places(400), ["q"]);
    }
}

on_both! {
    async fn a_search_may_have_as_many_words_as_a_title_and_more(service: &Service) {
        let words: Vec<String> = ('a'..='z').map(String::from).collect();
        let title = words[..25].join(" ");
        service.add(&title, "DVD", 100, 2000, 3).await;
        service.add(&words[1..].join(" "), "DVD", 100, 2000, 3).await;
        for count in [4, 5, 12, 25] {
            let search = path("/movie", &words[..count].join(" "));
            assert_eq!(service.titles(&search).await, [title.as_str()], "{count} words");
            let found = service.get(&path("/movie/random", &words[..count].join(" "))).await;
            assert_eq!(found.json()["title"], title, "{count} words");
            assert_eq!(service.get(&path("/stats", &words[..count].join(" "))).await.json()["movies"], 1);
        }
        let often = format!("{title} {title} {title}");
        assert_eq!(service.titles(&path("/movie", &often)).await, [title.as_str()], "each word counts once");
        let one_more = words.join(" ");
        assert_eq!(service.titles(&path("/movie", &one_more)).await, [""; 0], "no title has so many");
    }
}

on_both! {
    async fn titles_are_found_as_people_spell_them(service: &Service) {
        for title in ["Spider-Man", "Spiderman", "Spider Man", "Star Wars", "Fast & Furious", "8½", "81", "千と千尋の神隠し", "$9.99"] {
            service.add(title, "DVD", 100, 2000, 3).await;
        }
        for (search, found) in [
            ("spider man", &["Spider-Man", "Spiderman", "Spider Man"][..]),
            ("spiderman", &["Spider-Man", "Spiderman", "Spider Man"]),
            ("starwars", &["Star Wars"]),
            ("fast and furious", &["Fast & Furious"]),
            ("81", &["81"]),
            ("8½", &["8½"]),
            ("神隠し", &["千と千尋の神隠し"]),
            ("$", &["$9.99"]),
            ("🎬", &[]),
        ] {
            assert_eq!(service.titles(&path("/movie", search)).await, found, "{search}");
        }
    }
}

on_both! {
    async fn what_differs_in_more_than_accents_is_no_duplicate(service: &Service) {
        let import = async |titles: &[&str]| {
            let rows: Vec<String> = titles.iter().map(|title| format!("{title},DVD,90,2000,3\n")).collect();
            let file = format!("title,movieFormat,length,releaseYear,rating\n{}", rows.concat());
            service.import("text/csv", "", file).await.json()
        };
        let all = import(&["น้ำ", "นำ", "Кай", "Каи", "8½", "812", "À bout", "The Heat", "Heat"]).await;
        assert_eq!((&all["created"], &all["skipped"]), (&json!(9), &json!(0)), "{all}");
        let again = import(&["A bout", "à Bout", "the heat", "8½"]).await;
        assert_eq!((&again["created"], &again["skipped"]), (&json!(0), &json!(4)), "{again}");
    }
}
