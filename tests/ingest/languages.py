"""Sentences in forty languages, and the encodings from before Unicode in which people wrote each."""

WEST = ("cp1252", "iso8859_15", "mac_roman", "cp850")
CENTRAL = ("cp1250", "iso8859_2", "cp852")
CYRILLIC = ("cp1251", "iso8859_5", "mac_cyrillic")
BALTIC = ("cp1257",)

LANGUAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "German": (
        WEST,
        ("Alle Menschen sind frei und gleich an Würde und Rechten geboren.", "Die Mühle wurde 1874 gebaut und später vergrößert."),
    ),
    "French": (
        WEST,
        ("Tous les êtres humains naissent libres et égaux en dignité.", "L'été dernier, la société a livré huit pièces à l'hôtel."),
    ),
    "Spanish": (
        WEST,
        ("Todos los seres humanos nacen libres e iguales en dignidad y razón.", "El año pasado la compañía pagó más de mil euros."),
    ),
    "Portuguese": (
        WEST,
        ("Todos os seres humanos nascem livres e iguais em razão e consciência.", "A reunião de amanhã é às três da tarde."),
    ),
    "Italian": (
        WEST,
        ("Tutti gli esseri umani nascono liberi ed eguali in dignità.", "La città è più grande di quanto si pensi, perché cresce."),
    ),
    "Catalan": (
        WEST,
        ("Tots els éssers humans neixen lliures i iguals en raó.", "La reunió serà dilluns a les deu del matí, això és segur."),
    ),
    "Dutch": (WEST, ("De patiënten zijn vrij en gelijk in waardigheid; één uitzondering.", "De coördinatie van België kost twee miljoen.")),
    "Swedish": (WEST, ("Alla människor är födda fria och lika i värde och rättigheter.", "Mötet hålls på måndag klockan åtta i Göteborg.")),
    "Danish": (WEST, ("Alle mennesker er født frie og lige i værdighed.", "Mødet holdes på mandag i København, så vær på plads.")),
    "Norwegian": (
        WEST,
        ("Alle mennesker er født frie og med samme menneskeverd, også små.", "Båten går fra brygga klokka åtte på lørdag."),
    ),
    "Finnish": (
        WEST,
        ("Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan.", "Kokous pidetään tiistaina kello kymmenen pääkonttorissa."),
    ),
    "Icelandic": (
        ("cp1252", "iso8859_15", "cp850"),
        ("Hver maður er borinn frjáls og jafn öðrum að virðingu.", "Fundurinn verður haldinn á þriðjudaginn í Reykjavík."),
    ),
    "Albanian": (WEST, ("Të gjithë njerëzit lindin të lirë dhe të barabartë.", "Mbledhja është të martën në orën dhjetë në Tiranë.")),
    "Polish": (
        CENTRAL,
        ("Wszyscy ludzie rodzą się wolni i równi pod względem godności.", "Łódź jest dużym miastem, więc zażądano więcej pieniędzy."),
    ),
    "Czech": (
        CENTRAL,
        ("Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti.", "Schůze se koná v úterý v deset hodin v Českých Budějovicích."),
    ),
    "Slovak": (
        CENTRAL,
        ("Všetci ľudia sa rodia slobodní a rovní v dôstojnosti.", "Stretnutie sa koná v utorok o desiatej, vďaka za účasť."),
    ),
    "Hungarian": (
        CENTRAL,
        ("Minden emberi lény szabadon születik és egyenlő méltósága van.", "Az ülést kedden tíz órakor tartják a győri gyűlésteremben."),
    ),
    "Croatian": (
        CENTRAL,
        ("Sva ljudska bića rađaju se slobodna i jednaka.", "Sastanak će se održati u četvrtak u deset sati, češće nego prije."),
    ),
    "Slovenian": (
        CENTRAL,
        ("Vsi ljudje se rodijo svobodni in imajo enako dostojanstvo, čeprav različni.", "Sestanek bo četrtega; želimo več časa."),
    ),
    "Romanian": (CENTRAL, ("Toate fiinţele umane se nasc libere şi egale în demnitate.", "Şedinţa va avea loc marţi la ora zece în oraş.")),
    "Turkish": (
        ("cp1254", "iso8859_9"),
        ("Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar.", "İstanbul'da toplantı salı günü yapılacaktır."),
    ),
    "Lithuanian": (
        BALTIC,
        ("Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis.", "Susirinkimas įvyks antradienį dešimtą valandą, ačiū."),
    ),
    "Latvian": (
        BALTIC,
        (
            "Visi cilvēki piedzimst brīvi un vienlīdzīgi savā pašcieņā.",
            "Sanāksme notiks otrdien pulksten desmitos Rīgā, lūdzu ierodieties.",
        ),
    ),
    "Estonian": (
        BALTIC,
        (
            "Kõik inimesed sünnivad vabadena ja võrdsetena oma väärikuselt.",
            "Koosolek toimub teisipäeval kell kümme, palun tulge õigeks ajaks.",
        ),
    ),
    "Russian": (
        (*CYRILLIC, "koi8_r", "cp866"),
        ("Все люди рождаются свободными и равными в своём достоинстве.", "Мельница была построена в 1874 году у реки."),
    ),
    "Ukrainian": (
        (*CYRILLIC, "koi8_u"),
        ("Всі люди народжуються вільними і рівними у своїй гідності.", "Нарада відбудеться у вівторок о десятій годині в її кабінеті."),
    ),
    "Bulgarian": (CYRILLIC, ("Всички хора се раждат свободни и равни по достойнство.", "Срещата ще се проведе във вторник в десет часа.")),
    "Serbian": (
        CYRILLIC,
        ("Сва људска бића рађају се слободна и једнака у достојанству.", "Састанак ће се одржати у уторак у десет часова."),
    ),
    "Macedonian": (CYRILLIC, ("Сите човечки суштества се раѓаат слободни и еднакви.", "Состанокот ќе се одржи во вторник во десет часот.")),
    "Belarusian": (
        CYRILLIC,
        ("Усе людзі нараджаюцца свабоднымі і роўнымі ў сваёй годнасці.", "Нарада адбудзецца ў аўторак а дзясятай гадзіне."),
    ),
    "Greek": (
        ("cp1253", "iso8859_7"),
        ("Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι.", "Η συνάντηση θα γίνει την Τρίτη στις δέκα το πρωί στην Αθήνα."),
    ),
    "Hebrew": (("cp1255",), ("כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.", "הישיבה תתקיים ביום שלישי בשעה עשר בירושלים.")),
    "Arabic": (
        ("cp1256",),
        ("يولد جميع الناس أحرارا متساوين في الكرامة والحقوق.", "يعقد الاجتماع يوم الثلاثاء في الساعة العاشرة في القاهرة."),
    ),
    "Persian": (("cp1256",), ("تمام افراد بشر آزاد به دنيا مي‌آيند و از لحاظ حيثيت با هم برابرند.", "اين گزارش در تهران چاپ شد.")),
    "Thai": (("cp874",), ("มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ", "การประชุมจะมีขึ้นในวันอังคารเวลาสิบนาฬิกา")),
    "Vietnamese": (
        ("cp1258",),
        ("Tất cả mọi người sinh ra đều được tự do và bình đẳng.", "Cuộc họp sẽ được tổ chức vào thứ ba tại Hà Nội."),
    ),
    "Japanese": (
        ("cp932", "euc_jp", "iso2022_jp"),
        ("すべての人間は、生まれながらにして自由である。", "水車小屋は1874年に建てられました。"),
    ),
    "Chinese": (("gb18030",), ("人人生而自由，在尊严和权利上一律平等。", "磨坊建于1874年，位于河边。")),
    "Taiwanese": (("big5",), ("人人生而自由，在尊嚴和權利上一律平等。", "磨坊建於1874年，位於河邊。")),
    "Korean": (("cp949",), ("모든 인간은 태어날 때부터 자유로우며 존엄과 권리에 있어 동등하다.", "방앗간은 1874년에 강가에 지어졌습니다.")),
}
