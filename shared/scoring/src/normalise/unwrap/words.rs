//! Words by which prefaces, labels and closing remarks are known.

/// Words of which a preface consists, by language. All words of a line must be among these, so
/// that a sentence that merely speaks of a transcript is none.
const PREFACE: &[&str] = &[
    // English
    "sure certainly of course okay ok absolutely alright yes here is are s here's below this the a an your my \
     following follows as requested accurate verbatim full complete exact raw clean formatted corrected \
     word for from in by with to audio recording clip file speech voice spoken text content words given \
     provided uploaded attached script native original language output result happy help i i've i'd have \
     has been be would am can it you says said speaker hindi tamil bengali bangla odia oriya telugu marathi \
     kannada malayalam gujarati punjabi urdu assamese english nepali devanagari only without any \
     translation and it's that",
    // Hindi, Marathi, Nepali
    "यहाँ यहां है हैं ऑडियो ऑडिओ आडियो का की के को में निम्नलिखित निम्न नीचे दी दिया दिए दिये गई गया गए यह ये इस \
     आपका आपके आपकी प्रस्तुत ज़रूर जरूर बिल्कुल बेशक हिंदी हिन्दी मराठी पाठ भाषण रिकॉर्डिंग फ़ाइल फाइल \
     क्लिप लिखित रूप प्रकार येथे आहे ऑडिओचे ऑडिओचा ऑडिओची खाली दिले दिलेले दिलेल्या नक्कीच हे हा \
     खालीलप्रमाणे मजकूर यहाँको तल",
    // Bengali, Assamese
    "এখানে এই এটি অডিওর অডিও অডিওটির প্রদত্ত হল হলো হচ্ছে রয়েছে আছে দেওয়া নিচে নীচে নিম্নরূপ নিম্নলিখিত \
     অবশ্যই আপনার বাংলা ফাইলের রেকর্ডিং রেকর্ডিংয়ের ইয়াত",
    // Tamil
    "இதோ இங்கே ஆடியோவின் ஆடியோ ஒலியின் ஒலிப்பதிவின் உள்ளது கொடுக்கப்பட்ட கீழே நிச்சயமாக தமிழ் உங்கள் பின்வருமாறு",
    // Telugu
    "ఇక్కడ ఇదిగో ఆడియో యొక్క ఉంది ఇచ్చిన క్రింద కింద తప్పకుండా ఖచ్చితంగా తెలుగు మీ ఇది",
    // Kannada
    "ಇಲ್ಲಿದೆ ಇಲ್ಲಿ ಆಡಿಯೊ ಆಡಿಯೋ ಆಡಿಯೋದ ಆಡಿಯೊದ ಖಂಡಿತ ಕೆಳಗೆ ಇದೆ ಕನ್ನಡ ನೀಡಿದ",
    // Malayalam
    "ഇതാ ഇവിടെ ഓഡിയോയുടെ ഓഡിയോ തീർച്ചയായും താഴെ മലയാളം ആണ് നൽകിയ",
    // Gujarati
    "અહીં ઑડિયો ઓડિયો ઑડિયોનું ઓડિયોનું છે નીચે ચોક્કસ ગુજરાતી આપેલ આ",
    // Punjabi
    "ਇੱਥੇ ਆਡੀਓ ਦਾ ਦੀ ਹੈ ਹੇਠਾਂ ਜ਼ਰੂਰ ਪੰਜਾਬੀ ਇਹ",
    // Odia
    "ଏଠାରେ ଅଡିଓର ଅଡିଓ ଅଡ଼ିଓ ଅଡ଼ିଓର ଅଛି ହେଉଛି ତଳେ ନିଶ୍ଚୟ ଓଡ଼ିଆ ଦିଆଯାଇଥିବା ଏହି",
    // Urdu
    "یہاں آڈیو کا کی ہے نیچے ضرور اردو یہ دی گئی",
];

/// The thing that a preface announces. A preface has one of these.
const TRANSCRIPTS: &[&str] = &[
    "transcription transcript transcribed transcriptions transcripts",
    "ट्रांसक्रिप्शन ट्रांसक्रिप्ट ट्रान्सक्रिप्शन ट्रान्सक्रिप्ट ट्रांस्क्रिप्शन प्रतिलेखन प्रतिलेख प्रतिलिपि \
     लिप्यंतरण लिप्यांतरण ट्रांसक्राइब",
    "প্রতিলিপি প্রতিলিপিটি ট্রান্সক্রিপশন ট্রান্সক্রিপ্ট ট্রান্সক্রিপশনটি অনুলিপি প্ৰতিলিপি",
    "படியெடுத்தல் படியெடுப்பு எழுத்துப்பெயர்ப்பு டிரான்ஸ்கிரிப்ஷன் டிரான்ஸ்கிரிப்ட் ட்ரான்ஸ்கிரிப்ஷன் உரைவடிவம்",
    "ట్రాన్స్క్రిప్షన్ ట్రాన్స్క్రిప్ట్ ట్రాన్స్స్క్రిప్షన్ లిప్యంతరీకరణ ప్రతిలేఖనం",
    "ಪ್ರತಿಲೇಖನ ಟ್ರಾನ್ಸ್ಕ್ರಿಪ್ಷನ್ ಟ್ರಾನ್ಸ್ಕ್ರಿಪ್ಟ್ ಲಿಪ್ಯಂತರ",
    "ട്രാൻസ്ക്രിപ്ഷൻ ട്രാൻസ്ക്രിപ്റ്റ് ട്രാന്സ്ക്രിപ്ഷന് പകർപ്പ്",
    "ટ્રાન્સક્રિપ્શન ટ્રાન્સક્રિપ્ટ પ્રતિલેખન",
    "ਟ੍ਰਾਂਸਕ੍ਰਿਪਸ਼ਨ ਟ੍ਰਾਂਸਕ੍ਰਿਪਟ ਪ੍ਰਤੀਲਿਪੀ",
    "ଟ୍ରାନ୍ସକ୍ରିପ୍ସନ ଟ୍ରାନ୍ସକ୍ରିପସନ ଟ୍ରାନ୍ସକ୍ରିପ୍ଟ ପ୍ରତିଲିପି ଅନୁଲିପି",
    "ٹرانسکرپشن ٹرانسکرپٹ نقل",
];

/// Openings of closing remarks; the whole last line is one.
const CLOSINGS: &[&str] = &[
    "let me know if you need",
    "let me know if you have any",
    "let me know if you would like",
    "let me know if you'd like",
    "please let me know if you need",
    "please let me know if you have any",
    "i hope this helps",
    "is there anything else i can help",
    "end of transcript",
    "end of transcription",
    "end of the transcript",
];

/// What speakers are called when they have a number or a letter.
const SPEAKERS: &str = "speaker spk person voice participant वक्ता स्पीकर व्यक्ति বক্তা স্পিকার பேச்சாளர் ஸ்பீக்கர் \
     వక్త స్పీకర్ ವಕ್ತಾ ಸ್ಪೀಕರ್ ಭಾಷಣಕಾರ സ്പീക്കർ വക്താവ് વક્તા સ્પીકર ਬੁਲਾਰਾ ਸਪੀਕਰ ବକ୍ତା ସ୍ପିକର مقرر اسپیکر";

/// What speakers are called by their part. Words of speech as well, so that they count only where
/// every line has a label.
const PARTS: &str = "speaker agent customer caller operator representative interviewer interviewee host guest narrator \
     doctor patient teacher student male female man woman boy girl user assistant moderator unknown \
     वक्ता एजेंट ग्राहक डॉक्टर मरीज मरीज़ पुरुष महिला वाचक निवेदक বক্তা গ্রাহক ডাক্তার রোগী পুরুষ মহিলা \
     மருத்துவர் நோயாளி ஆண் பெண் వైద్యుడు రోగి";

fn is_among(lists: &[&str], word: &str) -> bool {
    lists.iter().any(|list| is_in(list, word))
}

fn is_in(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|known| known == word)
}

/// The words of a line as they stand in the lists: lower case, without joiners and punctuation.
fn words(line: &str) -> Vec<String> {
    line.split(|c: char| c.is_whitespace() || (c.is_ascii_punctuation() && c != '\'') || is_mark(c))
        .map(|word| {
            word.chars()
                .filter(|c| !matches!(c, '\u{200c}' | '\u{200d}'))
                .map(|c| if c == '’' { '\'' } else { c })
                .flat_map(char::to_lowercase)
                .collect::<String>()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

fn is_mark(c: char) -> bool {
    matches!(
        c,
        '।' | '॥' | '،' | '۔' | '：' | '–' | '—' | '…' | '“' | '”' | '•'
    )
}

/// Most words of a preface.
const LONGEST: usize = 30;

/// Whether a line announces a transcript and does nothing else.
pub(super) fn is_preface(line: &str) -> bool {
    let words = words(line);
    (1..=LONGEST).contains(&words.len())
        && words.iter().any(|word| is_among(TRANSCRIPTS, word))
        && words
            .iter()
            .all(|word| is_among(PREFACE, word) || is_among(TRANSCRIPTS, word))
}

/// Whether a line is a remark of a model to its user after the transcript.
pub(super) fn is_closing(line: &str) -> bool {
    let line = words(line).join(" ");
    line.len() <= 120 && CLOSINGS.iter().any(|start| line.starts_with(start))
}

/// Whether a label names a speaker by a number or a letter: `Speaker 1`, `SPEAKER_00`, `वक्ता २`.
pub(super) fn is_numbered_speaker(label: &str) -> bool {
    let words = words(label);
    match words.as_slice() {
        [name, number] => {
            is_in(SPEAKERS, name)
                && (number.chars().all(char::is_numeric)
                    || (number.chars().count() == 1 && number.chars().all(char::is_alphabetic)))
        }
        [one] => {
            let name = one.trim_end_matches(|c: char| c.is_numeric());
            name.len() < one.len() && is_in(SPEAKERS, name)
        }
        _ => false,
    }
}

/// Whether a label names a speaker at all: as above, by a part, or by a letter (`A`).
pub(super) fn is_speaker(label: &str) -> bool {
    let words = words(label);
    let is_part = matches!(words.as_slice(), [one] if is_in(PARTS, one)
        || matches!(one.as_bytes(), [b'a'..=b'z'] | [b'a'..=b'z', b'0'..=b'9']));
    is_part || is_numbered_speaker(label)
}
