#!/usr/bin/env python3
"""The films for all measurements, as CSV: `bench/films.py COUNT`. They are the same in each run.

Titles resemble real ones: words of 20 languages and 9 scripts, by patterns of each language, some words far more
often than others (Zipf's law), rare names in the tail, numbered sequels. No two films are duplicates by the rule
of the service."""

import itertools
import math
import random
import re
import sys
import unicodedata

HEADER = "title,movieFormat,length,releaseYear,rating"
LONGEST_TITLE = 50
BATCH = 5_000
TITLES_AT_ONCE = 1_000
SEQUELS = [" 2", " 3", " II", " III", " IV", ": Part 2", " 4", " 5", " 1984", " 47", " Part 1", " 2000"]

# Parts of names: a real stem and a real ending form a rare name.
GIVEN_NAMES = """John Peter Jack Robert William Thomas David Adam Simon Martin Paul Mark Andrew Daniel Michael Jacob
    Stefan Anton Karl Erik Nils Hans Olaf Lars Gustav Henrik Jan Pavel Josef Marek Marin Roman Viktor Ivan Boris Filip
    Leon Louis Hugo Emil Oscar Victor Albert Alfred Edward Harold Donald Roland Richard Bernard Gerard Maurice Denis
    Cole Ellis Harris Morris Nichol Wilkin Hutchin Dixon Nel Ander Fergus Magnus Sand Lind Berg Holm Strand""".split()
NAME_ENDINGS = "son sen sson s ov ova ski ska ez escu ic in ini etti eau ier mann stein ton ville burg ford ham wood field dale".split()
COMPOUND_HEADS = """Moon Sun Star Night Day Fire Water River Wind Snow Ice Rain Storm Sea Sand Stone Iron Silver Gold
    Black White Red Blue Green Grey Dark Light Wild Wolf Fox Hawk Raven Crow Bear Lion Horse Dog Cat Blood Bone Heart
    Hand Head Eye Ghost Death Dead Dream Sleep Home House Farm Mill Church Castle King Queen Lady Lord Knight Sword
    Shadow Winter Summer Spring Autumn Harvest Apple Cherry Rose Thorn Oak Ash Elm Pine Over Under Out Down Up
    North South East West Mid High Low Long Short Old New Glass Steel Copper Rail Road Street Ship Sail Harbor""".split()
COMPOUND_TAILS = """light fall rise shine gate wood stone field land fire water ford bridge town port house yard door
    man woman child maker keeper hunter runner walker dancer singer rider driver fighter breaker watch guard ward way
    side line mark point hill dale ridge creek lake bay shore beach cliff song bird hound heart born bound less
    master craft work book board room hall tower brook burn dust storm blade break back strike time tide""".split()

# A language: its share of the films, its patterns, its words by frequency, the separator of the parts of its rare
# words, and those parts.
LANGUAGES = {
    "English": (54, """%s|%s %s|%s %s|The %s|The %s %s|The %s %s|A %s|%s of the %s|The %s of %s|%s and %s|%s in the %s|My %s %s|
        The Last %s|%s %s %s|Return of the %s|%s's %s|%s & %s|To the %s|No %s|Dr. %s|The %s, the %s""", """
        Love Night Man Life Day Time World Girl House Story Death King City Dead Heart Home Black Christmas Blood War
        Woman Boy White Dark Secret Lost Red Dream Last First Big Little Blue Good Bad Old New Young American Family
        Street Road River Murder Summer Winter Moon Sun Star Fire Water Wind Rain Snow Sea Island Mountain Garden
        Forest Wild Ghost Shadow Devil Angel Heaven Hell God Queen Prince Princess Lady Gentleman Doctor Detective
        Killer Stranger Friend Brother Sister Mother Father Daughter Son Child Baby Wife Husband Wedding Marriage Kiss
        Affair Lover Beauty Beast Monster Vampire Zombie Alien Robot Space Planet Earth Moonlight Silence Silent Quiet
        Golden Silver Iron Stone Glass Paper Wooden Empty Broken Hidden Forgotten Forbidden Eternal Endless Perfect
        Simple Strange Beautiful Lonely Happy Crazy Dangerous Deadly Final Fatal Free Holy Royal Sacred Sweet Bitter
        Cold Hot Warm Long Short High Deep Harbor Bridge Tower Castle Palace Church School Hospital Hotel Motel Station
        Train Ship Boat Plane Car Taxi Bus Bicycle Letter Book Diary Song Music Dance Opera Theatre Circus Game Chess
        Football Champion Winner Loser Hero Legend Myth Tale Journey Voyage Escape Return Revenge Justice Law Crime
        Criminal Thief Robber Bandit Outlaw Cowboy Sheriff Soldier General Captain Sergeant Spy Agent Assassin Hunter
        Wolf Fox Bear Lion Tiger Eagle Hawk Horse Dog Cat Snake Spider Shark Whale Bird Butterfly Rose Flower Tree
        Apple Orange Lemon Cherry Honey Sugar Bread Wine Coffee Tea Kitchen Table Window Door Mirror Room Attic Cellar
        Morning Evening Midnight Midday Sunday Monday Friday Saturday January April June July September October Spring
        Autumn Storm Thunder Lightning Flood Earthquake Fog Mist Smoke Ashes Dust Sand Desert Valley Canyon Lake Ocean
        Beach Shore North South East West Paris London Berlin Rome Moscow Tokyo Texas Chicago Hollywood Brooklyn
        Manhattan Broadway Vegas Alaska Africa India China Egypt Amadeus Alice Anna Arthur Charlie Emma Frank George
        Helen Henry Jack James Jane Jesse Jim Joe John Julia Kate Lily Lucy Maria Mary Max Michael Mike Nick Oliver
        Peter Rebecca Robin Rosie Ruby Sam Sarah Sherlock Sophie Susan Tom Victoria Walter William Watching Waiting
        Running Walking Dancing Singing Dreaming Falling Flying Fighting Hunting Killing Leaving Living Loving Missing
        Rising Searching Sleeping Talking Thinking Touching Wanted Alone Together Forever Never Always Tomorrow
        Yesterday Tonight Somewhere Nowhere Everything Nothing Something Someone Nobody One Two Three Four Seven Nine
        Ten Hundred Thousand Million Half Double Second Third Money Gold Diamond Pearl Treasure Fortune Luck Chance
        Promise Truth Lies Liar Memory Memories Mind Soul Spirit Body Eyes Hands Face Voice Name Number Machine Engine
        Code Signal Radio Television Camera Picture Painter Artist Poet Writer Teacher Student Nurse Lawyer Judge
        Priest Nun Monk Pope Witch Wizard Magician Magic Curse Prophecy Empire Kingdom Republic Revolution Rebel
        Freedom Prison Prisoner Cage Chain Rope Knife Sword Gun Bullet Bomb Battle Victory Peace Honor Glory Pride
        Shame Fear Anger Rage Fury Madness Joy Sorrow Tears Laughter Smile""",
        "", COMPOUND_HEADS, COMPOUND_TAILS),
    "French": (7, "Le %s|La %s|Les %s|L'%s|%s|%s et %s|Un %s|Une %s|Le %s de %s|La %s du %s|%s à %s|Mon %s", """
        amour vie nuit femme homme jour temps mort fille garçon été père mère frère sœur enfant cœur rêve forêt mer
        ville château rivière étoile lumière ombre silence guerre école maîtresse fête hôtel île théâtre voyage secret
        Amélie Étienne Zoé Noël Hélène François Cléo Jérôme Élodie beauté vérité légende mystère héros crépuscule
        matin soir hiver printemps automne lycée mariée Français goût fenêtre tempête bête fantôme âme""",
        "", GIVEN_NAMES, "eau ier ault ois ette ine elle et ard".split()),
    "Spanish": (7, "El %s|La %s|Los %s|Las %s|%s|%s y %s|El %s de la %s|%s sin %s|Mi %s", """
        amor noche vida mujer hombre día niño niña corazón sueño ciudad mar sol luna sangre muerte camino casa secreto
        año señor señora español montaña río jardín canción árbol ángel pasión perdón traición adiós mañana último
        única José María Martín Sebastián Inés Begoña otoño invierno verano primavera fuego tierra cielo infierno""",
        "", GIVEN_NAMES, "ez es illo ada ero ista ón".split()),
    "German": (6, "Der %s|Die %s|Das %s|%s|%s und %s|Der %s von %s|Ein %s|%s über %s|Im %s", """
        Liebe Nacht Leben Tod Mann Frau Mädchen König Königin Stadt Straße Haus Herz Traum Träume Zeit Jahr Tag Wald
        Schloss Brücke Mörder Schatten Geheimnis Krieg Frühling Sommer Herbst Winter Vögel Bär Füchse Glück Müller
        Jäger Schäfer Söhne Töchter Brüder Schwestern Größe Fluß Meer Küste Engel Teufel Himmel Hölle Tür""",
        "", "Nacht Stern Mond Wald Berg Feuer Wasser Winter Sommer König Traum Schatten Stadt Grenz Blut Eis Schnee Silber Gold Mörder Wolken Herz".split(),
        "haus licht lied jäger kind mann frau weg reise stadt land wald tal berg stein feuer meer zeit spiel herz schlüssel garten".split()),
    "Italian": (4, "Il %s|La %s|%s|%s e %s|L'%s|Il %s della %s|Una %s", """
        amore notte vita donna uomo giorno città mare sole luna sangue morte strada casa segreto ragazza padre madre
        figlio bambino cuore sogno verità felicità libertà perché inferno paradiso estate inverno primavera autunno
        commissario ladro ladri bicicletta dolce grande bellezza""", "", GIVEN_NAMES, "ini etti ello ucci one ano".split()),
    "Portuguese": (2, "O %s|A %s|%s|%s e %s|Os %s de %s", """
        amor noite vida mulher homem dia coração sonho cidade mar sol lua sangue morte caminho casa segredo não irmão
        irmã mãe paixão canção verão outono João São estação ilusão família história""", "", GIVEN_NAMES, "inho ão es eira".split()),
    "Polish": (2, "%s|%s %s|%s i %s", """
        miłość noc życie śmierć człowiek kobieta dzień dom wojna miasto rzeka góra księżyc słońce gwiazda król
        królowa książę Łódź Wrocław Kraków żona mąż córka źródło ściana ogień woda cień anioł""", "", GIVEN_NAMES, "ski ska owicz czyk ewska".split()),
    "Czech": (1, "%s|%s a %s|%s v %s", """láska noc život smrt člověk žena den dům válka město řeka hora měsíc slunce
        hvězda král královna příběh cesta děti škola červen říjen štěstí tajemství""", "", GIVEN_NAMES, "ek ová ský ka".split()),
    "Swedish": (2, "%s|%s och %s|Den %s|En %s", """kärlek natt liv död man kvinna dag hus krig stad älv berg måne sol
        stjärna kung drottning sommar höst vår flicka pojke sjö skärgård Malmö Göteborg smultronstället ängel mörker""",
        "", GIVEN_NAMES, "sson berg ström gren kvist".split()),
    "Turkish": (1, "%s|%s ve %s|Bir %s", """aşk gece hayat ölüm adam kadın gün ev savaş şehir nehir dağ ay güneş yıldız
        kral kraliçe yaz kış çocuk kız İstanbul gözler rüya yol deniz gül şarkı""", "", GIVEN_NAMES, "oğlu lar ci".split()),
    "Vietnamese": (1, "%s %s|%s", """tình đêm người đời mùa hè đông xuân thu trời biển sông núi hoa mưa nắng Hà Nội Sài Gòn mẹ cha
        con đường phố bóng tối ánh sáng""", " ", "Nguyễn Trần Lê Phạm Hoàng Vũ".split(), "Anh Bình Dũng Hương Linh Thảo".split()),
    "Russian": (4, "%s|%s и %s|%s %s|%s в %s|%s без %s", """
        любовь ночь жизнь смерть человек женщина день дом война город река гора луна солнце звезда король королева
        сталкер зеркало брат сестра мать отец сын дочь дети школа дорога поезд вокзал Москва Ленинград Сибирь осень зима
        весна лето снег дождь ветер огонь вода тень ангел судьба мир враг друг ёжик тишина правда тайна берег""",
        "", "Иван Петр Павел Михаил Николай Алексей Федор Степан Роман Антон Максим Кузнец Медвед Волк Сокол Лебед".split(),
        "ов ова ев ева ин ина ский ская енко евич".split()),
    "Greek": (1, "Ο %s|Η %s|Το %s|%s και %s|%s", """έρωτας νύχτα ζωή θάνατος άνθρωπος γυναίκα ημέρα σπίτι πόλεμος πόλη ποτάμι
        βουνό φεγγάρι ήλιος αστέρι βασιλιάς βασίλισσα θάλασσα νησί δρόμος καλοκαίρι χειμώνας όνειρο Αθήνα καρδιά""",
        "", "Παπαδ Γεωργ Νικολ Δημητρ Κωνσταντιν".split(), "όπουλος ίδης άκης ίου".split()),
    "Chinese": (2, "%s%s|%s|%s之%s|%s的%s", """爱情 黑夜 生活 死亡 男人 女人 时光 家 战争 城市 河流 山 月亮 太阳 星星 国王 皇后 英雄 卧虎 藏龙 春天 夏天
        秋天 冬天 北京 上海 香港 少年 少女 江湖 风云 红高粱 大红灯笼 故事 梦 花样 年华 传奇 天下 无间道""",
        "", "春夏秋冬山水风云龙虎花月星天金银红白黑青", "夜日年城河海国门宫路传说歌梦影剑客侠女王"),
    "Japanese": (2, "%s%s|%sの%s|%s|%sと%s", """愛 夜 人生 死 男 女 日 家 戦争 町 川 山 月 太陽 星 王様 となり トトロ 七人 侍 東京 物語 千尋 もののけ
        姫 ラブ レター ゴジラ さくら 少女 少年 海 空 夏 冬 春 秋 猫 犬 列車""", "", "東西南北春夏秋冬白黒赤青", "京海山川風花月雪町島"),
    "Korean": (2, "%s %s|%s|%s의 %s", """사랑 밤 인생 죽음 남자 여자 날 집 전쟁 도시 강 산 달 태양 별 왕 여왕 기생충 살인 추억 부산 서울 바다
        봄 여름 가을 겨울 아이 친구 학교""", "", "김이박최정강조윤장임", "민준 서연 지훈 수빈 영호 하늘".split()),
    "Arabic": (1, "%s|%s و%s|%s %s", """حب ليل حياة موت رجل امرأة يوم بيت حرب مدينة نهر جبل قمر شمس نجمة ملك ملكة بحر صحراء
        القاهرة بيروت طريق قلب حلم سر أرض السماء""", " ", "أحمد محمد علي يوسف عمر".split(), "المصري الحسن النجار الخطيب".split()),
    "Hebrew": (1, "%s|%s %s|%s של %s", """אהבה לילה חיים מוות איש אישה יום בית מלחמה עיר נהר הר ירח שמש כוכב מלך מלכה ים ירושלים
        שיר חלום סוד ילד""", " ", "דוד משה יעקב רחל".split(), "כהן לוי מזרחי פרץ".split()),
    "Hindi": (1, "%s|%s %s|%s और %s", """प्यार रात जीवन मौत आदमी औरत दिन घर युद्ध शहर नदी पहाड़ चाँद सूरज तारा राजा रानी समुद्र दिल सपना
        मुंबई दिल्ली गाँव माँ""", " ", "राम श्याम मोहन अमर".split(), "शर्मा वर्मा सिंह कुमार".split()),
    "Thai": (1, "%s%s|%s", "ความรัก คืน ชีวิต ผู้ชาย ผู้หญิง วัน บ้าน สงคราม เมือง แม่น้ำ ภูเขา ดวงจันทร์ ดาว ทะเล ผี ฝน",
        "", "พระ นาง สาว".split(), "จันทร์ ทอง แก้ว".split()),
}


def titles(rng, name):
    """An endless sequence of titles of one language."""
    _, patterns, words, joint, heads, tails = LANGUAGES[name]
    patterns = [(pattern.strip(), pattern.count("%s")) for pattern in patterns.split("|")]
    rare = [head + joint + tail for head in heads for tail in tails]
    if name == "English":
        rare += [head + ending for head in GIVEN_NAMES for ending in NAME_ENDINGS]
    rng.shuffle(rare)
    words = [word.strip() for word in words.split()] + rare
    weights = list(itertools.accumulate(1 / (rank + 8) for rank in range(1, len(words) + 1)))
    while True:
        chosen = iter(rng.choices(words, cum_weights=weights, k=3 * TITLES_AT_ONCE))
        for pattern, slots in rng.choices(patterns, k=TITLES_AT_ONCE):
            yield pattern % tuple(itertools.islice(chosen, slots))


LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "œ": "oe", "æ": "ae"})
SIGNS = re.compile(r"[\W_]+")


def key(title):
    """The title by which the service compares films: without case, accents, punctuation and a leading article."""
    title = title.lower()
    if not title.isascii():
        title = "".join(c for c in unicodedata.normalize("NFKD", title) if not unicodedata.combining(c))
        title = title.casefold().translate(LETTERS)
    words = SIGNS.sub(" ", title).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)


def films(count, seed=1):
    """`count` films, each a tuple in the order of the header."""
    rng = random.Random(seed)
    by_language = {name: titles(rng, name) for name in LANGUAGES}
    seen = set()
    made = 0
    while made < count:
        names = rng.choices(list(LANGUAGES), [language[0] for language in LANGUAGES.values()], k=BATCH)
        formats = rng.choices(["DVD", "Streaming", "VHS"], [45, 35, 20], k=BATCH)
        ratings = rng.choices([1, 2, 3, 4, 5], [5, 15, 35, 30, 15], k=BATCH)
        lengths = rng.choices(range(501), [math.exp(-(((length - 98) / 30) ** 2)) + 0.0005 for length in range(501)], k=BATCH)
        years = rng.choices(range(1900, 2027), [1 / (2032 - year) for year in range(1900, 2027)], k=BATCH)
        sequels = rng.choices([""] + SEQUELS, [92] + [8 / len(SEQUELS)] * len(SEQUELS), k=BATCH)
        for name, movie_format, length, year, rating, sequel in zip(names, formats, lengths, years, ratings, sequels):
            title = next(by_language[name]) + sequel
            title = title[0].upper() + title[1:]
            if not title.isascii():
                title = unicodedata.normalize("NFC", title)
            title = title[:LONGEST_TITLE].strip()
            identity = hash((key(title), year, movie_format))
            if identity not in seen:
                seen.add(identity)
                yield title, movie_format, length, year, rating
                made += 1
                if made == count:
                    return


def write(file, rows):
    file.write(HEADER + "\n")
    for title, *rest in rows:
        title = f'"{title}"' if "," in title else title
        file.write(f"{title},{rest[0]},{rest[1]},{rest[2]},{rest[3]}\n")


if __name__ == "__main__":
    write(sys.stdout, films(int(sys.argv[1])))
