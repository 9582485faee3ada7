"""How pages that stand in an article's place read, in the languages that publish most.

What these lists miss is taken for a page like others; what they wrongly hold would lose an article. So each is narrow:
what a site says to its reader about this very page, not what an article says about such pages.
"""

import re
from typing import Final


def any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


CHALLENGE_TITLE: Final = any_of(
    (
        r"^(?:just a moment|one moment,? please|attention required!?|are you (?:a )?(?:robot|human)\??"
        r"|robot check)[.…!? ]*$"
    ),
    r"^(?:please wait for verification|请?(?:完成)?安全验证|\S{1,6}安全验证|环境异常)[.…! ]*$",
    r"^(?:security|human|bot|browser|captcha) (?:check|verification|challenge)[.…! ]*$",
    r"^(?:verify(?:ing)? (?:that )?you are (?:a )?human|pardon our interruption|ddos-guard|captcha)[.…! ]*$",
    r"^(?:making sure you(?:'|’)re not a bot|checking your browser|access to this page has been denied)[.…! ]*$",
    (
        r"^(?:einen moment,? bitte|un instant|un momento|um momento|een moment(?: geduld)?|один момент|請稍候|请稍候"
        r"|しばらくお待ちください)[.…! ]*$"
    ),
)
CHALLENGE: Final = any_of(
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
    r"click the button below to continue shopping|enable cookies in your browser to continue",
    r"the requested url was rejected|your support id is:? ?<?\d+",  # F5's firewall
    r"当前环境异常|完成验证后即可继续|系统监测到您的网络环境存在异常|请您?(?:完成|进行)验证",
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
LOGIN_TITLE: Final = any_of(
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
LOGIN: Final = any_of(
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
LOGIN_TO_READ: Final = any_of(
    (
        r"(?:must|need to|have to) (?:be )?(?:log(?:ged)? ?in|sign(?:ed)? ?in)(?: as .{1,40})?"
        r" to (?:read|view|see|access|continue)"
    ),
    r"(?:log|sign) ?in(?: or .{1,40})? to (?:continue|read|view|see|access|keep reading)",
    (
        r"this (?:content|page|article|story) is (?:only )?(?:available )?(?:for|to)"
        r" (?:registered |logged-in )?(?:members|users)"
    ),
    r"(?:melden sie sich|melde dich|loggen sie sich) (?:bitte )?(?:an|ein),? um .{0,60}(?:lesen|sehen|fortzufahren)",
    r"connectez-vous pour (?:continuer|lire|accéder)|identifiez-vous pour",
    r"inicia(?:r)? sesión para (?:continuar|leer|ver)|(?:faça|fazer) (?:o )?login para (?:continuar|ler|ver)",
    r"accedi per (?:continuare|leggere)|log in om (?:verder|door) te|войдите,? чтобы (?:продолжить|читать|просмотреть)",
    r"登录后(?:查看|阅读)|ログインして(?:続き|ご覧)",
)
LOGIN_TO_ACT: Final = any_of(
    (
        r"(?:log|sign)(?:ged|ed)? ?in(?: or .{1,40}?)?,? (?:to|before you can|if you want to) (?:be able to )?"
        r"(?:edit|comment|reply|post|vote|like|write|leave|add|rate|review|save|follow|download|participate|join|ask|answer|react|upload|bookmark"
        r"|submit|create|contribute|respond|share|subscribe|watch|report)"
    ),
    r"(?:kommentieren|antworten|bearbeiten|commenter|répondre|comentar|responder|rispondere|commentare|reageren)",
)
"""Reading needs none of it."""
PAYWALL: Final = any_of(
    (
        r"(?:^|[.!?…] )(?:create an? (?:free )?account|sign up|subscribe|log in|sign in|become a member)"
        r"(?! (?:for|to) our).{0,40}"
        r" to (?:read|unlock|continue reading) (?:the (?:full|whole|rest of the)|this) (?:story|article|post)\b.{0,40}$"
    ),
    r"trouble retrieving the article content",  # NYT
    r"^this (?:post|episode|story|article|newsletter) is for (?:paid|paying) (?:subscribers|members)(?: only)?",
    r"^subscribe to (?:continue|keep) reading[.!]?$|^subscribe to unlock this (?:article|story)",
    r"^continue reading (?:your|this) article with",
    r"^keep reading (?:with a|this (?:post|article) with)",
    r"(?:diesen artikel|jetzt|hier|sofort) weiterlesen mit|^weiterlesen mit .{1,30}[+]",
    r"^diese[rn]? (?:artikel|inhalt) ist (?:nur )?für abonnenten",
    r"il vous reste [\d.,]+ ?% de cet article|la suite est réservée aux abonnés",
    r"^(?:cet )?article (?:est )?réservé aux abonnés",
    r"(?:este contenido|este artículo) es (?:solo|exclusivo) para suscriptores|suscríbete para seguir leyendo",
    r"(?:conteúdo|artigo) (?:é )?exclusivo para assinantes|assine para continuar lendo",
    r"(?:questo (?:contenuto|articolo) è )?riservato agli abbonati|abbonati per continuare a leggere",
    r"^dit artikel is (?:alleen|exclusief) voor abonnees",
    r"^(?:この記事は)?(?:有料)?会員限定(?:記事)?(?:です)?。?$|^残り[\d,]+文字",
)
"""What follows is for others: said of this very text, in a line of its own."""
PASSWORD: Final = any_of(
    r"(?:content|post|page) is (?:password[- ]protected|protected by a password)|^dieser inhalt ist passwortgeschützt",
    r"^cet? (?:contenu|article) est protégé par (?:un )?mot de passe",
)
"""What follows is for those who have its password: where there is a field for it."""
LOGIN_PATH: Final = re.compile(
    (
        r"(?:^|/)(?:log[-_]?in|sign[-_]?in|log[-_]?on|sign[-_]?on|sso|anmelden|connexion|inloggen|wp-login\.php"
        r"|servicelogin|login\.(?:php|aspx?|html?|jsp)|accounts/login|users/sign_in|oauth2?/authorize|authwall"
        r"|checkpoint)(?:/|$)"
    ),
    re.IGNORECASE,
)
COOKIE: Final = any_of(
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
COOKIE_TITLE: Final = any_of(
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
ACCEPT: Final = any_of(
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
JAVASCRIPT: Final = any_of(
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
WAITING: Final = any_of(
    r"^(?:loading|please wait|wird geladen|bitte warten|chargement|cargando|caricamento|laden|загрузка)[.…! ]*$",
    r"^(?:加载中|読み込み中)[.…! ]*$",
)
RATE: Final = any_of(
    r"^(?:429 )?too many requests[.!]?$|^rate limit exceeded[.!]?$|^error 1015.*$",
    r"^(?:you (?:are being|have been) rate limited|zu viele anfragen|trop de requêtes|demasiadas solicitudes)[.!]?$",
)
RATE_MAYBE: Final = any_of(r"^(?:rate limit(?:ed|ing)?|slow down|whoa there,? pardner)[.!]*$")
RATE_SAID: Final = any_of(
    r"too many requests|(?:have|has) (?:been|exceeded|hit|reached) .{0,40}rate[- ]?limit",
    r"(?:try|come back|check back)(?: again)? (?:later|in a (?:few|moment|minute|while)|in \d+ (?:second|minute|hour))",
    r"requests? (?:from|by) (?:your|this) (?:ip|network|address|browser)",
)
