#!/usr/bin/env bash
# Makes the bundled clips and clips.jsonl. Needed only to change them: the files are committed.
#
#   apt-get install -y espeak-ng sox ffmpeg lame   # Debian 12
#   infra/local/clips/make_clips.sh
#
# The speech is synthesized by espeak-ng; nobody was recorded. The sentences were written for this
# project. Encoders are told to leave out versions and dates, so that the same tools make the
# same bytes.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -f ./*.wav ./*.mp3 ./*.flac ./*.m4a ./*.ogg ./*.webm clips.jsonl

quiet=(-nostdin -loglevel error -y)
exact=(-map_metadata -1 -fflags +bitexact -flags:a +bitexact)

# encode FILE HOW: encodes $work/speech.wav (16 kHz, mono, 16 bit) into FILE.
encode() {
  local file=$1 how=$2 in="$work/speech.wav"
  case $how in
    wav16) ffmpeg "${quiet[@]}" -i "$in" "${exact[@]}" -c:a pcm_s16le "$file" ;;
    wav8) ffmpeg "${quiet[@]}" -i "$in" "${exact[@]}" -ar 8000 -c:a pcm_s16le "$file" ;;
    mp3) lame --quiet --resample 16 -m m -b 24 --cbr "$in" "$file" ;;
    mp3vbr) lame --quiet --resample 16 -m m -V 6 "$in" "$file" ;;
    flac) ffmpeg "${quiet[@]}" -i "$in" "${exact[@]}" -c:a flac -compression_level 12 "$file" ;;
    # The description at the end of the file, as most phones write it …
    m4a) ffmpeg "${quiet[@]}" -i "$in" "${exact[@]}" -c:a aac -b:a 24k "$file" ;;
    # … and at its start, as made for the web.
    m4afast) ffmpeg "${quiet[@]}" -i "$in" "${exact[@]}" -c:a aac -b:a 24k -movflags +faststart "$file" ;;
    vorbis) ffmpeg "${quiet[@]}" -i "$in" "${exact[@]}" -c:a libvorbis -b:a 24k "$file" ;;
    opus) ffmpeg "${quiet[@]}" -i "$in" "${exact[@]}" -c:a libopus -b:a 16k -application voip "$file" ;;
    webm) ffmpeg "${quiet[@]}" -i "$in" "${exact[@]}" -c:a libopus -b:a 16k -application voip "$file" ;;
    # Without a duration, as browsers record it.
    webmlive) ffmpeg "${quiet[@]}" -i "$in" "${exact[@]}" -c:a libopus -b:a 16k -application voip -f webm -live 1 "$file" ;;
    *) echo "unknown encoding $how" >&2; exit 1 ;;
  esac
}

# clip FILE LANGUAGE VOICE HOW WORDS_PER_MINUTE SENTENCE
clip() {
  local file=$1 language=$2 voice=$3 how=$4 speed=$5 sentence=$6 type
  espeak-ng -v "$voice" -s "$speed" -w "$work/raw.wav" "$sentence"
  sox "$work/raw.wav" -R -r 16000 -c 1 -b 16 "$work/speech.wav" gain -n -3
  encode "$file" "$how"
  case $file in
    *.wav) type=audio/wav ;; *.mp3) type=audio/mpeg ;; *.flac) type=audio/flac ;;
    *.m4a) type=audio/mp4 ;; *.ogg) type=audio/ogg ;; *.webm) type=audio/webm ;;
  esac
  printf '{"file":"%s","language":"%s","ground_truth":"%s","content_type":"%s","sha256":"%s","size_bytes":%s,"duration_seconds":%.2f}\n' \
    "$file" "$language" "$sentence" "$type" "$(sha256sum "$file" | cut -d' ' -f1)" \
    "$(stat -c %s "$file")" "$(sox --i -D "$work/speech.wav")" >>clips.jsonl
}

clip en-01.wav en en-gb wav8 165 "The helpline is open from nine in the morning to six in the evening."
clip en-02.mp3 en en-us mp3 165 "Please bring your ration card and two photographs to the camp."
clip en-03.webm en en-gb webm 160 "Give the child one zinc tablet every day for fourteen days."
clip hi-01.wav hi hi wav16 170 "कल सुबह दस बजे टीकाकरण शिविर लगेगा।"
clip hi-02.m4a hi hi m4a 160 "गेहूँ की फसल में पीला रतुआ दिख रहा है।"
clip hi-03.ogg hi hi opus 155 "बच्चे को दो दिन से बुखार और खाँसी है।"
clip hi-04.webm hi hi webmlive 150 "मेरा Aadhaar card bank account से link नहीं हो रहा है।"
clip ta-01.mp3 ta ta mp3vbr 160 "நெல் பயிருக்கு எப்போது உரம் இட வேண்டும்?"
clip ta-02.ogg ta ta vorbis 160 "நாளை காலை மருத்துவர் கிராமத்திற்கு வருவார்."
clip bn-01.flac bn bn flac 170 "আমার ধানের জমিতে পোকা লেগেছে, কী করব?"
clip bn-02.m4a bn bn m4afast 160 "গর্ভবতী মায়েদের প্রতি মাসে পরীক্ষা করানো দরকার।"
clip te-01.ogg te te opus 160 "ఈ నెల పింఛను ఇంకా నా ఖాతాలో జమ కాలేదు."
clip te-02.mp3 te te mp3 160 "రేపు వర్షం పడే అవకాశం ఉంది."
clip gu-01.webm gu gu webm 150 "મારી ગાયને ત્રણ દિવસથી તાવ છે."
clip ml-01.m4a ml ml m4a 160 "കുട്ടിക്ക് പോളിയോ തുള്ളിമരുന്ന് എപ്പോൾ കൊടുക്കണം?"
clip mr-01.flac mr mr flac 170 "पीक विम्याची शेवटची तारीख कधी आहे?"
clip kn-01.ogg kn kn vorbis 155 "ನಮ್ಮ ಊರಿನಲ್ಲಿ ಕುಡಿಯುವ ನೀರು ಬರುತ್ತಿಲ್ಲ."
clip pa-01.mp3 pa pa mp3 150 "ਮੰਡੀ ਵਿੱਚ ਅੱਜ ਕਣਕ ਦਾ ਭਾਅ ਕੀ ਹੈ?"
