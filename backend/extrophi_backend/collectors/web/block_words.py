"""How pages that stand in an article's place read, in the languages that publish most.

What these lists miss is taken for a page like others; what they wrongly hold would lose an article. So each is narrow:
what a site says to its reader about this very page, not what an article says about such pages.
"""

import re
from typing import Final


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


CHALLENGE_TITLE: Final = _any(
    (
        r"^(?:just a moment|one moment,? please|attention required!?|are you (?:a )?(?:robot|human)\??"
        r"|robot check)[.…!? ]*$"
    ),
    r"^(?:security|human|bot|browser|captcha) (?:check|verification|challenge)[.…! ]*$",
    r"^(?:verify(?:ing)? (?:that )?you are (?:a )?human|pardon our interruption|ddos-guard|captcha)[.…! ]*$",
    r"^(?:making sure you(?:'|’)re not a bot|checking your browser|access to this page has been denied)[.…! ]*$",
    (
        r"^(?:einen moment,? bitte|un instant|un momento|um momento|een moment(?: geduld)?|один момент|請稍候|请稍候"
        r"|しばらくお待ちください)[.…! ]*$"
    ),
)
CHALLENGE: Final = _any(
    (
        r"(?:verify|confirm|prove|make sure|check(?:ing)?|show us) (?:that )?(?:you(?:'|’)re|you are"
        r"|if you are) (?:a |an )?(?:real |actual )?(?:human|person|not a (?:ro)?bot)"
    ),
    r"checking (?:your browser|if the site connection is secure)",
    r"(?:complete|solve) the (?:captcha|security check|challenge|puzzle) (?:below|to)",
    r"unusual (?:traffic|activity|requests) from your (?:computer|network|ip|device|connection)",
    r"needs to review the security of your connection",
    r"you(?:'|’)re (?:a )?human.{0,80}cookies enabled",
    r"something about your browser made us think you (?:were|are|might be) a (?:ro)?bot",
    r"enable javascript and cookies to continue|enable cookies and reload the page",
    r"bestätigen sie,? dass sie (?:ein mensch|kein roboter) sind",
    r"überprüfung ihres browsers",
    r"ungewöhnlichen? (?:datenverkehr|aktivität)",
    r"vérifi(?:er|ez|ons) que vous (?:êtes|n(?:'|’)êtes) (?:bien )?(?:un (?:être )?humain|pas un robot)",
    r"trafic (?:exceptionnel|inhabituel)",
    (
        r"(?:verifi(?:ca|que|car)|comprob(?:ar|amos)|demuestr[ae]) que (?:usted )?(?:no )?(?:eres|es|seas)"
        r" (?:un )?(?:robot|humano)"
    ),
    r"tráfico inusual",
    r"(?:verifi(?:que|car)|confirme) (?:se|que) (?:você )?(?:não )?é (?:um )?(?:robô|humano)",
    r"(?:verifica|conferma) (?:che|di) (?:non )?(?:sei|essere) (?:un )?(?:robot|umano)",
    r"подтвердите,? что (?:вы|запросы)|не робот|请完成(?:安全)?验证|人机验证|ロボットではありません|私はロボット",
)
LOGIN_TITLE: Final = _any(
    r"^(?:please )?(?:log|sign) ?in(?: or (?:sign|create|register).*| to .*| required| page)?[.…! ]*$",
    r"^(?:login|log-in|sign-in|authentication required|account login|members? (?:login|area|only))[.…! ]*$",
    (
        r"^(?:anmelden|anmeldung|einloggen|bitte anmelden|connexion|se connecter|identifiez-vous|iniciar sesión"
        r"|inicia sesión|acceder)[.…! ]*$"
    ),
    (
        r"^(?:entrar|fazer login|accedi|login|inloggen|aanmelden|logga in|zaloguj się|войти|вход|авторизация|登录"
        r"|登入|ログイン|로그인)[.…! ]*$"
    ),
)
LOGIN: Final = _any(
    (
        r"(?:you (?:must|need to|have to|should) (?:be )?|please |you(?:'|’)ll need to "
        r"|must be )(?:log(?:ged)? ?in|sign(?:ed)? ?in)"
    ),
    (
        r"(?:log|sign) ?in(?: or (?:sign up|register|subscribe|create an? (?:free )?account))?,? to (?:continue"
        r"|read|view|see|access|keep reading|your account)"
    ),
    (
        r"(?:subscribe|register|create an? (?:free )?account|already a (?:subscriber|member)).{0,60}to"
        r" (?:continue|keep) reading"
    ),
    r"to (?:continue|keep) reading.{0,80}(?:log|sign) ?in",
    (
        r"this (?:content|page|article|story) is (?:only )?(?:available )?(?:for|to) (?:registered "
        r"|logged-in )?(?:members|subscribers)"
    ),
    r"bitte (?:melden sie sich|loggen sie sich|melde dich|logge dich|einloggen|anmelden)",
    r"(?:melden sie sich|melde dich) an,? um",
    r"um weiterzulesen",
    (
        r"(?:veuillez |connectez-vous|vous devez )(?:vous (?:connecter|identifier)|être connecté|pour"
        r" (?:continuer|lire|accéder))"
    ),
    r"identifiez-vous pour",
    r"(?:debes?|debe|necesitas|por favor,?) (?:iniciar|inicia|inicie) sesión",
    r"inicia(?:r)? sesión para (?:continuar|leer|ver)",
    r"(?:faça|fazer) (?:o )?login para",
    r"accedi per (?:continuare|leggere)",
    r"log in om (?:verder|door) te",
    r"войдите,? чтобы",
    r"请(?:先)?登录",
    r"ログインしてください",
    r"로그인이 필요",
)
LOGIN_PATH: Final = re.compile(
    (
        r"(?:^|/)(?:log[-_]?in|sign[-_]?in|log[-_]?on|sign[-_]?on|sso|anmelden|connexion|inloggen|wp-login\.php"
        r"|servicelogin|login\.(?:php|aspx?|html?|jsp)|accounts/login|users/sign_in|oauth2?/authorize|authwall"
        r"|checkpoint)(?:/|$)"
    ),
    re.IGNORECASE,
)
COOKIE: Final = _any(
    r"cookie", r"consent", r"your privacy",
    r"privacy (?:choices|settings|policy|preferences)",
    r"personal data",
    r"legitimate interest",
    r"tracking|our partners|\bpartners\b|vendors|advertis(?:ing|ements)|\bGDPR\b|personali[sz]ed",
    r"datenschutz|einwilligung|zustimm|personenbezogen|werbung|partnern",
    r"consentement|données personnelles|vie privée|partenaires|publicité",
    r"consentimiento",
    r"datos personales",
    r"privacidad",
    r"socios",
    r"publicidad",
    r"consenso",
    r"dati personali",
    r"toestemming",
    r"persoonsgegevens",
    r"privacidade",
    r"parceiros",
)  # fmt: skip
COOKIE_TITLE: Final = _any(
    r"^before you continue(?: to .{1,40})?$",
    r"^bevor sie (?:fortfahren|zu .{1,40} weitergehen)$",
    r"^avant de continuer.{0,40}$",
    r"^antes de (?:continuar|ir a).{0,40}$",
    r"^(?:cookie|privacy|your)(?: and privacy)? (?:consent|settings|choices|preferences|wall|gate|privacy choices)$",
    (
        r"^(?:we value your privacy|consent|datenschutzeinstellungen|privacy gate|cookie ?wall|gérer mes cookies"
        r"|cookie-einstellungen)$"
    ),
)
ACCEPT: Final = _any(
    (
        r"^(?:i )?(?:accept|agree|consent|allow)(?: (?:all|and (?:continue|close)|to all|cookies|all cookies"
        r"|all and (?:continue|close)))*$"
    ),
    r"^(?:yes,? )?i(?:'|’)?m? (?:agree|accept|happy).*$",
    r"^got it$",
    r"^continue with(?:out)? (?:accepting|ads|advertising|agreeing).*$",
    r"^reject all$",
    r"^(?:alle(?: cookies)? )?(?:akzeptieren|zustimmen|annehmen)(?: und (?:weiter|schließen))?$",
    r"^einverstanden$",
    r"^ich stimme zu$",
    r"^alle akzeptieren$",
    r"^alles akzeptieren$",
    r"^(?:tout )?accepter(?: (?:et (?:fermer|continuer)|tout|les cookies))?$",
    r"^j(?:'|’)accepte$",
    r"^aceptar(?: (?:todo|todas|y (?:continuar|cerrar)|cookies))*$",
    r"^aceitar(?: tudo| todos)?$",
    r"^accetta(?: tutt[io]| e (?:continua|chiudi))?$",
    r"^(?:alles |cookies )?(?:accepteren|toestaan)$",
    r"^akkoord(?: en doorgaan)?$",
    r"^acceptera(?: alla)?$",
    r"^принять(?: все)?$",
    r"^同意$",
    r"^接受(?:全部)?$",
    r"^同意する$",
)
CONSENT_HOST: Final = re.compile(r"(?:^|\.)(?:consent|guce|myprivacy|cookiewall|privacygate|cmp)\.", re.IGNORECASE)
CONSENT_PATH: Final = re.compile(
    r"(?:^|/)(?:consent|cookie-?wall|cookie-?consent|privacy-?gate|collectconsent|privacy-wall)(?:/|$)", re.IGNORECASE
)
JAVASCRIPT: Final = _any(
    r"(?:enable|activate|turn on|switch on|allow|have) (?:your )?java ?script",
    (
        r"java ?script (?:is |has been |seems to be |must be |needs to be |to be |not )*(?:disabled|required"
        r"|not (?:available|enabled|supported)|available|enabled|turned off|switched off|needed|necessary)"
    ),
    r"(?:requires?|needs?|without|relies on|only works with) java ?script",
    r"browser(?: that)? (?:does not|doesn(?:'|’)t) support java ?script",
    r"java ?script (?:ist |wird |muss |bitte )*(?:deaktiviert|benötigt|erforderlich|aktivier(?:en|t)|ausgeschaltet)",
    r"aktivieren sie (?:bitte )?java ?script",
    r"(?:activer|activez) (?:le )?java ?script",
    r"java ?script (?:est|doit être) (?:désactivé|activé|requis|nécessaire)",
    r"(?:habilit[ae]r?|activ[ae]r?|active|ative|ativar|habilite) (?:el |o )?java ?script",
    r"(?:abilita|attiva)(?:re)? (?:il )?java ?script",
    r"(?:schakel|zet) java ?script (?:in|aan)",
    r"включите java ?script|启用 ?java ?script|java ?script ?を有効|java ?script(?:를| 을)? 활성화",
)
WAITING: Final = _any(
    r"^(?:loading|please wait|wird geladen|bitte warten|chargement|cargando|caricamento|laden|загрузка)[.…! ]*$",
    r"^(?:加载中|読み込み中)[.…! ]*$",
)
MISSING_TITLE: Final = _any(
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
    r"^페이지를 찾을 수 없습니다[.!]?$",
)
MISSING: Final = _any(
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
)
MISSING_PATH: Final = re.compile(
    r"(?:^|/)(?:404|(?:page[-_]?)?not[-_]?found|error[-_]?404|404[-_]?(?:error|page)|page404)(?:\.\w{2,5})?/?$",
    re.IGNORECASE,
)
RATE: Final = _any(
    r"^(?:429 )?too many requests[.!]?$|^rate limit(?:ed)?(?: exceeded)?[.!]?$|^error 1015.*$|^slow down!?$",
    r"^you (?:are being|have been) rate limited[.!]?$",
    r"^zu viele anfragen[.!]?$",
    r"^trop de requêtes[.!]?$",
    r"^demasiadas solicitudes[.!]?$",
)  # fmt: skip
