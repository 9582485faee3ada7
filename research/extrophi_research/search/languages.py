"""Languages in Latin script, and the words that tell them apart: those that are in every text and say nothing of it.

All words are folded, as `analysis` has them. Snowball's lists (https://snowballstem.org), shortened.
"""

from collections import Counter
from collections.abc import Iterable

STEMMED = {
    "da": "danish",
    "de": "german",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "sv": "swedish",
    "tr": "turkish",
}
"""Codes of ISO 639-1, and Snowball's names. English is everywhere; other scripts are stemmed by their letters."""
_CODES = {"nb": "no", "nn": "no"}
_LISTS = {
    "ar": (
        "من في على الى إلى عن مع هذا هذه ذلك تلك التي الذي الذين ما ماذا متى اين كيف هل لماذا هو هي هم كان كانت "
        "يكون او و ثم لا لم لن قد ان أن إن بين كل بعد قبل عند"
    ),
    "da": (
        "og i det at en den til er som pa de med han af for ikke der var mig sig men et har om vi min havde ham "
        "hun nu over da fra du ud sin dem os op man hans hvor eller hvad skal selv her alle vil blev kunne ind "
        "nar vaere kan hvordan hvorfor hvem hvilke hvilken dette denne disse efter ved"
    ),
    "de": (
        "der die das den dem des ein eine einer eines einem einen und oder aber nicht kein keine ist sind war "
        "waren wird werden wurde wurden hat haben hatte sein seine seiner ihr ihre ihrer ich du er sie es wir man "
        "sich mich uns mit von zu zum zur bei beim nach aus auf fur uber unter vor durch gegen ohne um im am an "
        "in als wie wo was wer wann warum welche welcher welches wenn dass ob noch nur auch schon sehr mehr so "
        "dann da hier dort kann konnen muss mussen soll sollen diese dieser dieses jede jeder gibt es bis seit"
    ),
    "el": (
        "ο η το οι τα του τησ τη την τον των στο στη στην στον στα στισ και να δεν μη με για απο που πωσ ποτε "
        "ποιοσ ποια ποιο τι ειναι ηταν θα σε ωσ αν κατα μετα αυτο αυτη αυτοσ ενα μια ενασ"
    ),
    "es": (
        "el la los las un una unos unas de del al y o u pero no es son era eran fue fueron ser esta estan ha han "
        "hay habia se su sus lo le les me mi tu te nos yo ella ellos que quien quienes cual cuales cuando como "
        "donde por porque para con sin sobre entre desde hasta en a este esta esto estos estas ese esa mas muy "
        "tambien ya si todo todos cada puede"
    ),
    "fi": (
        "ja on ei se etta en oli han mutta han joka jotka mika mita miten miksi milloin missa kuka kun niin kuin "
        "myos tai olla ovat olivat ole tama taman nama sen ne ovat jos vain viela nyt sita hanen minun sinun "
        "joita josta jossa mikali seka"
    ),
    "fr": (
        "le la les un une des du de et ou mais ne pas est sont etait etaient ete etre ont avait avoir je tu il "
        "elle on nous vous ils elles se ce cet cette ces mon ma mes son sa ses leur leurs notre votre que qui "
        "quoi dont quand comment pourquoi quel quelle quels quelles dans en sur sous par pour avec sans chez vers "
        "entre au aux plus moins tres aussi si comme meme tout tous toute toutes peut"
    ),
    "hu": (
        "a az egy es vagy de nem is hogy ez azt ezt meg mint volt van vannak lesz aki ami amely amit mit mi ki "
        "hol mikor hogyan miert melyik csak mar meg el ha itt ott nagyon minden"
    ),
    "it": (
        "il lo la i gli le un uno una di del dello della dei degli delle a al alla ai alle da dal dalla in nel "
        "nella nei nelle con su sul sulla per tra fra e o ma non si che chi cui come dove quando perche quale "
        "quali cosa e sono era erano essere stato ha hanno aveva io tu lui lei noi voi loro mio suo sua suoi "
        "questo questa questi quello piu molto anche se ci ne"
    ),
    "nl": (
        "de het een en of maar niet geen is zijn was waren wordt worden werd heeft hebben had ik jij hij zij ze "
        "wij we er zich mijn zijn haar hun ons van voor met op te in aan bij naar uit door over onder tegen "
        "zonder om als dan dat die dit deze wie wat waar wanneer waarom hoe welke ook nog al wel meer zo kan "
        "kunnen moet zal zou"
    ),
    "no": (
        "og i jeg det at en et den til er som pa de med han av ikke der sa var meg seg men har om vi min mitt ha "
        "hadde hun na over da ved fra du ut sin dem oss opp man kan hans hvor eller hva skal selv sjol her alle "
        "vil bli ble blitt kunne inn nar vaere hvordan hvorfor hvem hvilke hvilken dette denne disse etter for"
    ),
    "pt": (
        "o a os as um uma uns umas de do da dos das no na nos nas ao aos e ou mas nao que quem qual quais quando "
        "como onde por porque pelo pela para com sem sobre entre ate em e sao era eram foi foram ser esta estao "
        "ha tem se seu sua seus suas eu tu ele ela eles elas nos me te lhe este esta isto esse essa isso mais "
        "muito tambem ja todo todos pode"
    ),
    "ro": (
        "si in la de cu pe pentru din este sunt era au a al ale un o nu ca ce care cine cand cum unde mai sau dar "
        "daca fi fost lui ei se sa prin dupa fara intre acest aceasta acesta aceste"
    ),
    "ru": (
        "и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по ее мне было вот от меня "
        "о из ему когда ли если или ни быть был него до вас уж для мы их чем была без будто где есть надо кто "
        "этот того какой какая какие какое это почему зачем сколько при об"
    ),
    "sv": (
        "och finns det att i en jag hon som han pa den med var sig for sa till ar men ett om hade de av icke mig du da "
        "sin nu har inte hans honom skulle hennes dar min man ej vid kunde nagot fran ut nar efter upp vi dem "
        "vara vad over an dig kan sina har ha mot alla under nagon eller allt mycket sedan denna sjalv detta at "
        "utan varit hur ingen mitt ni bli blev oss din dessa nagra deras blir mina vilken vilka vem varfor"
    ),
    "tr": (
        "ve bir bu da de icin ile cok ne mi mu o su en gibi daha ama ya ki kadar olan olarak var yok degil nasil "
        "neden nerede zaman hangi kim kimin her hem veya ben sen biz siz onlar sonra once ise diye"
    ),
}
STOP_WORDS = {language: frozenset(words.split()) for language, words in _LISTS.items()}
_SPEAKS: dict[str, list[str]] = {}
for _language in STEMMED:
    for _word in STOP_WORDS[_language]:
        _SPEAKS.setdefault(_word, []).append(_language)
_MOST = 3
"""Danish, Norwegian and Swedish are hard to tell apart by three words: then all of them are meant."""


def primary(tag: str | None) -> str | None:
    """The language of a tag like `de-AT`, by the code that is used here; None where there is no such list."""
    if not tag:
        return None
    code = tag.replace("_", "-").partition("-")[0].lower()
    code = _CODES.get(code, code)
    return code if code in STOP_WORDS else None


def spoken(words: Iterable[str], english: frozenset[str], least: int = 2) -> tuple[str, ...]:
    """The languages in Latin script that a text is most likely in, by its frequent words; none where it is English.

    Args:
        words: Folded, as they stand in the text.
        english: English's frequent words.
        least: How many different ones of a language must be there.
    """
    found = set(words)
    counts = Counter(language for word in _SPEAKS.keys() & found for language in _SPEAKS[word])
    most = max(counts.values(), default=0)
    if most < least or most <= len(found & english):
        return ()
    best = tuple(sorted(language for language, count in counts.items() if count == most))
    return best if len(best) <= _MOST else ()
