"""How pages read that say that there is no such page, in the languages that publish most (see block_words.py)."""

import re
from typing import Final

from extrophi_backend.collectors.web.block_words import any_of

MISSING_TITLE: Final = any_of(
    (
        r"^(?:(?:http )?(?:error|erreur|fehler)\s?:?\s?)?404(?: (?:error|fehler))?[.!]?(?:\s?[:,]?\s?(?:page "
        r"|file )?(?:is )?not found)?[.!]?$"
    ),
    (
        r"^(?:oops|sorry|whoops|uh[- ]oh)?[!,.… ]*(?:(?:this|the|that|your) )?(?:requested )?(?:(?:web ?)?page"
        r"|content|article|file|url|post|story|document|topic)(?: you (?:requested|are looking for"
        r"|were looking for))? ?(?:is |was |could |can |has |does |could)?(?:not|n(?:'|’)t|cannot"
        r"|no longer) ?(?:be )?(?:been )?(?:found|exist|available|exists)[.!]?$"
    ),
    r"^(?:page|content|article|post|video|product) (?:unavailable|missing|removed|deleted)[.!]?$",
    r"^not found[.!]?$",
    r"^nothing (?:was )?found(?: here)?[.!]?$",
    r"^this (?:page|content|post|article) (?:isn(?:'|’)t|is not|is no longer) available[.!]?$",
    (
        r"^(?:diese |die )?(?:angeforderte )?(?:seite|artikel|inhalt|beitrag) (?:wurde |konnte "
        r"|ist )?(?:leider )?nicht (?:mehr )?(?:gefunden|vorhanden|verfügbar|gefunden werden)(?: werden)?[.!]?$"
    ),
    (
        r"^(?:cette )?(?:page|article|contenu) (?:est |n(?:'|’)est |n(?:'|’)a pas été |non )?(?:introuvable"
        r"|trouvée?|pas disponible|plus disponible|n(?:'|’)existe pas)[.!]?$"
    ),
    r"^(?:esta |la )?página (?:solicitada )?no (?:encontrada|existe|disponible|se encuentra)[.!]?$",
    r"^(?:a )?página não (?:encontrada|existe)[.!]?$",
    r"^pagina non trovata[.!]?$",
    r"^pagina niet gevonden[.!]?$",
    r"^sidan (?:hittades inte|kunde inte hittas)[.!]?$",
    r"^nie znaleziono strony[.!]?$",
    r"^страница не найдена[.!]?$",
    r"^(?:页面|頁面|网页)(?:不存在|未找到|找不到)[。!]?$",
    r"^找不到(?:页面|頁面|网页)[。!]?$",
    r"^(?:ページ|お探しのページ)(?:が|は)見つかりません(?:でした)?[。!]?$",
    r"^(?:您访问的|你访问的)?(?:页面|網頁|网页)?(?:不见了|走丢了)[。!]?$",
    r"^페이지를 찾을 수 없습니다[.!]?$",
    r"^sayfa bulunamadı[.!]?$",
    r"^(?:الصفحة غير موجودة|لم يتم العثور على الصفحة)[.!]?$",
    r"^siden (?:(?:blev |ble |ikke )?(?:ikke )?(?:fundet|funnet)|findes ikke|finnes ikke)[.!]?$",
    r"^(?:sivua ei löyty(?:nyt|nut)|sivua ei ole olemassa)[.!]?$",
    r"^(?:stránka (?:nebyla nalezena|nenalezena|neexistuje|sa nenašla))[.!]?$",
    r"^az oldal nem (?:található|létezik)[.!]?$",
    r"^(?:पृष्ठ|पेज) नहीं मिला[।.!]?$",
    r"^(?:không tìm thấy trang|trang không tồn tại)[.!]?$",
    r"^halaman tidak (?:ditemukan|ada|tersedia)[.!]?$",
    r"^η σελίδα δε(?:ν)? (?:βρέθηκε|υπάρχει)[.!]?$",
    r"^(?:הדף|העמוד)(?: המבוקש)? (?:לא נמצא|אינו קיים)[.!]?$",
    r"^сторінк[ау] не (?:знайдено|існує)[.!]?$",
    r"^(?:strona nie (?:została znaleziona|istnieje)|nie znaleziono)[.!]?$",
)
MISSING: Final = any_of(
    (
        r"(?:page|content|article|post|story|document|file|link|url)(?: that)?(?: you(?:(?:'|’)re| are"
        r"| were)? ?(?:looking for|requested|trying to (?:reach|view|access|find)|tried to (?:reach|view|access)"
        r"|followed|clicked))?,? (?:could not|couldn(?:'|’)t|cannot|can(?:'|’)t|can not|was not|wasn(?:'|’)t"
        r"|does not|doesn(?:'|’)t|did not|is not|isn(?:'|’)t|is no longer|no longer|may have been|might have been"
        r"|has been) (?:be |seem to )?(?:found|exists?|available|moved|removed|deleted|broken|here)"
    ),
    (
        r"(?:we |sorry,? (?:but )?we )(?:can(?:'|’)?t|cannot|could ?n(?:'|’)?t|couldn(?:'|’)t|could not)"
        r" (?:seem to )?(?:find|locate) (?:the|that|this|your) (?:page|content|article|post|file|story)"
    ),
    (
        r"(?:seite|artikel|inhalt) (?:\w+ ){0,6}(?:nicht (?:mehr )?(?:gefunden|existier|vorhanden|verfügbar)"
        r"|existiert (?:leider )?nicht)"
    ),
    (
        r"page (?:que vous (?:recherchez|demandez|cherchez) )?(?:est introuvable|n(?:'|’)existe (?:pas|plus)"
        r"|n(?:'|’)a pas été trouvée)"
    ),
    (
        r"página (?:que (?:buscas?|está buscando|procura|solicitó) )?(?:no (?:existe|se encuentra"
        r"|ha sido encontrada|está disponible)|não (?:existe|foi encontrada))"
    ),
    r"pagina (?:che (?:cerchi|stai cercando) )?non (?:esiste|è stata trovata)",
    r"pagina (?:die u zoekt )?(?:bestaat niet|is niet gevonden)",
    r"страница,? .{0,40}не (?:найдена|существует)",
    r"(?:页面|頁面)(?:不存在|已被删除|找不到)",
    r"ページは(?:存在しません|見つかりません|削除され)",
    r"您?(?:访问|要找|查看)的?(?:页面|内容)(?:已经)?(?:不见了|走丢了|不存在|已被删除)",
    r"(?:aradığınız|istediğiniz) sayfa (?:bulunamadı|mevcut değil|kaldırılmış)",
    r"الصفحة (?:التي تبحث عنها |المطلوبة )?غير موجودة",
    r"siden(?:,)? du (?:leder|søker|leter) efter|siden du (?:leter|leder) etter",
    r"(?:etsimääsi|hakemaasi) sivua ei",
    r"(?:hledaná|požadovaná) stránka (?:nebyla|neexistuje)",
    r"a keresett oldal nem (?:található|létezik)",
    r"trang bạn (?:tìm|đang tìm|yêu cầu).{0,20} không (?:tồn tại|tìm thấy)",
    r"halaman yang (?:anda|kamu) (?:cari|tuju|minta) tidak",
    r"η σελίδα που (?:ζητήσατε|αναζητάτε|ψάχνετε) δε",
    r"(?:הדף|העמוד) ש(?:חיפשת|ביקשת)",
    r"сторінк[ау],? .{0,40}не (?:знайдено|існує)",
    r"strona,? (?:której szukasz|o podanym adresie).{0,20} nie (?:istnieje|została)",
)
MISSING_PATH: Final = re.compile(
    r"(?:^|/)(?:404|(?:page[-_]?)?not[-_]?found|error[-_]?404|404[-_]?(?:error|page)|page404)(?:\.\w{2,5})?/?$",
    re.IGNORECASE,
)
