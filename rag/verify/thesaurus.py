"""Which English words may stand for one another where all else agrees, and which exclude one another.

A word stands in several groups: lift and raise, raise and grow, but not lift and grow. For words that lexicon.py merges, any group of
one is a group of all.
"""

from collections import defaultdict

from rag.verify.lexicon import keys

_ALIKE = """
abandon give leave stop|abolish end scrap|accelerate speed|accept agree approve adopt carry pass|accomplish do achieve
accurate exact precise correct|achieve reach attain accomplish|acidic sour|acquire buy obtain get purchase gain
act behave work operate function run|active busy|add append attach include|additional extra more further another other
adjust adapt change modify alter tune|admit allow enter let|advantage benefit|advise recommend suggest counsel propose
affect influence|afraid fear scared|aim purpose goal intend intention|alert alarm warning warn notify|allot assign allocate give
allow let permit may entitle authorise authorize enable|alone single sole only|alongside beside|amount sum total quantity figure level
ancient old|announce declare state say report reveal disclose|annual yearly year|annually yearly|answer reply respond response
appear seem show turn|apply use employ|appoint name choose elect select hire|approach near come|approximately about
area region zone district|argue claim maintain contend|arise occur happen come|around round|arrival arrive come reach
arrive reach come get|article paper piece study|ask request demand require enquire inquire want|assess evaluate judge measure test
assist help aid support|assistant helper aide|assume suppose take|attach fasten fix fit connect|attempt try effort
attend visit join come|attendance attend visitor|audit check examine|auditor audit|author writer write|automatic itself automatically
autumn fall|available offer obtainable|average mean|award give grant prize|back rear|backup copy|bacterium bacteria microbe|bad poor
badly poorly|ban forbid prohibit|base found|basic simple|battle fight|beat defeat|become turn grow get|bed plot
before prior previously ahead until|begin start open commence launch beginning|behind after|belong own|bicycle bike cycle
big large great sizeable|bill invoice|block stop prevent|boat ship vessel|book reserve|border edge boundary|boss manager head employer
bottom base foot lowest|breach break violate|break fail crack stop pause|bridge span|brief short|bring carry take deliver fetch
build construct erect put make construction building|building house structure construction|burial grave bury
business company firm trade|button key|calm quiet still|cancel drop call|capable able can|capture catch take|car vehicle
careful carefully caution|carry take transport bear convey bring|case instance example|catch fetch take trap|cause raise produce
cause reason lead bring result because owing make|caution warn care|centre middle central|certain sure
change alter modify switch replace convert turn become vary shift|charge fee price cost bill|cheap inexpensive affordable
check inspect examine test verify control|check sure verify ensure|choose select pick opt choice|circulate spread|city town
claim say assert state|clean wash rinse wipe cleanse|clear remove empty plain|clever smart|click press|climb rise ascend go
close shut near|closed shut close|clothes clothing|coast shore|collapse fall|colleague coworker|come arrive reach go|comfortable easy
common frequent usual widespread|compare against comparison|complain complaint|complete finish end full whole finalise
compose write consist|composer compose write|concern worry affect|conclude finish end find|condition state provided
conduct carry run do perform lead|confirm verify prove|connect link join attach|consent approval permission agreement agree
consider think regard view|consist contain comprise|constant steady|constantly always|contain hold include have
continue go keep carry remain proceed stay resume|contract agreement|contribute give add|control check govern
cook boil simmer fry prepare heat|cool cold|copy duplicate|correct right fix mend|cost price charge pay expense come run expensive
couple pair marry|court judge|cover coat|crash collision accident|crash fail|create make produce build set|crew team staff
crop harvest plant|cure heal treat|current present now|customer client buyer purchaser|cut reduce trim lower chop slice|dad father
daily day|damage harm hurt injure ruin spoil|danger risk hazard|dangerous unsafe risky hazardous|dark black|data figure information
deadline date|deal agreement handle|dear expensive costly|death die dead kill|debt owe|decide determine choose resolve rule
decline fall drop decrease refuse|decrease fall drop reduce decline lower shrink|deduct subtract take|default standard|defend protect
defer postpone delay put|delay late hold postpone|delete remove erase|deliver bring supply hand|demonstrate show prove
deny reject refuse|depart leave go departure|depend rely|describe tell explain depict|design plan draw|designer engineer architect
despite although though|destroy ruin wreck demolish|detect find spot discover notice|determine decide find establish|develop grow make
die death perish|differ vary different|different other various vary|dig excavate|dilute thin|diminish reduce fall|direct lead straight
director manager head leader|discard throw dispose|discount reduction cheaper|discover find detect uncover|discuss talk debate
disease illness|dismiss sack fire|dispatch send ship|display show exhibit|distribute hand share give|disturb interrupt
divide split share|doctor physician|document paper file|donate give|dose take|double twice|draft draw|draw sketch|drink beverage
drive operate|drop dip slip slump plunge shed lose|dry dried|duration length last take|duty task obligation|dwelling house
earlier before previously prior|early soon|earn get make|easy simple|eat consume|economical cheap|edge border rim side|edit change
effect result consequence impact|efficient effective|elect choose vote|elevation height|embankment bank dam|emerge appear come
emphasise stress|employ use hire|employee worker staff|employer company|empty drain vacate|encounter meet|encourage urge
end finish close stop conclude expire last|endure last|energy power|enlarge expand extend|enough sufficient|enrol recruit take
ensure make guarantee|enter go record note|entire whole full all|entirely fully completely wholly|entitle right|entrance door entry
equal same even equally|equip fit|error mistake fault bug failure fail|escape flee|especially particularly|essential necessary needed
estimate guess reckon|evacuate leave|evening night|event occasion|evidence proof sign|exactly precisely
examine study check inspect test|exceed above over top more pass|except apart other besides save|exchange swap trade
exclude omit leave|exclusively only solely|exempt free excuse|exist live|expand grow extend|expect anticipate foresee
experiment trial test study|expire lapse end|explain account reason|explode burst|expose open|expose show
extend lengthen prolong stretch reach|extract take remove|extremely very|face meet front|factor reason|factory plant works
failure fault breakdown fail|fair just|fall drop decrease decline sink go reduce come down lower|famous known|farmer grower
fast quick quickly rapid rapidly|fasten attach fix tie secure|fault defect error|favour prefer|feed supply fuel|feel sense
fence barrier|few handful|fill load|film movie|find discover detect spot turn identify see|fine penalty pay
finish end complete close conclude|fire burn blaze|firmware software|fit suit mount install|fix repair mend|flag option|flash blink
flat level apartment|floor storey|flow run|folder directory|follow after obey|follow track trace|forbidden prohibited
force make compel|forecast predict|form shape create|former previous earlier ex|fort castle fortress|found establish founder
found establish set start create|free release without|frequently often|fresh new clean|frighten scare|function method call
fund money pay finance|gain win get|gap difference|gather collect assemble meet|get receive obtain become fetch|gift present donation
give provide supply hand grant offer yield pay|go travel run move head leave|good well|goods products ware|govern rule
government state|grant give award allow|grave tomb|greatly much|grind mill|ground soil earth floor|group team set band
grow rise increase raise cultivate|guarantee ensure warrant|guard watch protect|guest visitor|habitat live home|hand give pass
handle deal manage|happen occur take|harbour port|hard difficult tough firm|harden hard|harvest lift pick gather reap collect
have own hold possess|head lead chief boss top leader|hear listen|hear told|heat warm|height high tall|help aid assist contribute make
hide conceal|high tall elevated|higher taller|hiker walker|hire rent employ engage rental|hit strike|hold keep have contain
holiday leave vacation|honour award|hospital clinic|hot warm|house home building|huge enormous|human people|ignore disregard|ill sick
immediately once straight instantly directly right|implement carry|important key|improve better|include contain comprise come cover
income revenue earnings|increase rise grow raise climb up go|individual single person|inform tell notify|inhabit live|initially first
injury wound|inner inside|insert put|inside within in|inspector inspect|install fit put mount|instant immediate|instead rather
instruction direction|insure insurance cover|interior inside|introduce bring add new|invent devise create|inventor invent
invest put spend|investigate examine study look|invite ask|invoke call|issue problem give release publish|item thing object
job post work position task|journey trip travel|jump soar surge leap rise|keep hold retain maintain remain store preserve stay
keeper warden|key main|kid child|kind type sort|lab laboratory|label tag mark|labour work|lamp light bulb|land ground|landlord owner
larger bigger greater|last final previous|latency delay|later after afterwards subsequently|law rule|lawyer solicitor
lead head guide cause run|lead result end|leak escape|learn study|leave go depart vacation|lend loan|length long|less minus
lessen reduce|let allow leave|level height amount|lid cover|life live|lift raise harvest pull|like similar|like such|likewise also
limit maximum restrict cap bound threshold permit ceiling|link connect connection tie|liquid fluid|little small|live reside
locate find|locate situate lie place stand|location place site spot|lockdown closure|log record entry|login sign|lose loss
machine device appliance unit|main chief principal primary major|mainly mostly largely chiefly primarily|major main large
make produce create build force cause|maker manufacturer producer make|man person|manage run|manufacture make produce|marry wed
maximum most|measure gauge determine record find|medicine drug medication|meeting session|merge join combine|message note
method way procedure|middle centre mid|minimum least|minor small|mix stir blend combine|model type|modern new|monastery abbey
monitor watch|move shift go transfer relocate|multiple several many|multiply times|mum mother|murder kill|mute silence|name call title
narrow thin|nation country|navigate steer guide|near close by|nearly almost|necessary needed need require
need require want must necessary|nest breed|new fresh novel recent|next following subsequent|normal usual regular
notwithstanding although despite|novel book|number count figure|obligatory compulsory mandatory|observe see watch notice|obvious clear
occasion time|occasionally sometimes|offer give provide propose|office post|officer official|offspring young chick|old aged former
ongoing current|operation work|opinion view|oppose against|option choice|order command instruct book|ordinary usual|organisation body
organise arrange|origin source|original first initial|originate come stem|outage failure down|overlook miss|overnight night
oversee supervise|overturn reverse quash|owing due because result thanks|pain ache|painter artist paint
painting picture portrait canvas|pair two couple|parameter argument|part section portion
participant people person patient volunteer adult subject|participate take join|party side|pass go|passenger traveller
pause stop break halt interrupt|pay cost fund spend give payment|people person inhabitant resident|per each every a|period time term
permit licence allow approval|person individual people head someone|personnel staff hr|phone telephone call ring
photograph photo picture|pick choose harvest|picture image|piece part|place put set location spot|plaintiff claimant sue
plan intend scheme design project proposal|plant sow set cultivate planting put|pleased glad happy|point tip|pointed sharp
policyholder customer insured|position place job post|postpone move|premises building site|premium pay|prepare make ready|present give
preserve keep conserve|press push hold|prevent stop avoid|previous former last earlier before year|prey hunt eat|primary main first
prior before previous|prison jail|problem fault trouble issue|procedure process|produce make yield give|programme cycle
progress advance|proper right|proportion share part rate|propose suggest recommend put move|provide give supply offer include
provided condition if|pull draw|pupil student|purpose order|put place set go lay|question ask|raise lift increase|raise throw
randomise assign|rare uncommon seldom|rate speed|react respond|real actual|reason cause why|rebuild reconstruct
record note log register enter|recruit hire|rectify correct|reduce cut lower decrease fall bring come|reduction cut fall decrease
refund repay reimburse money|reject refuse decline turn|reject refuse turn rule|release publish free
remain stay keep be left continue go|remove take delete clear lift|rename name call|rent hire lease|reopen open|repeat again
replace change swap exchange renew substitute|report say state tell|request call
require need demand ask call specify must specification|rescue save|resign quit step leave|resolve solve|rest remain remainder
restart reboot|restore return bring|restrict limit confine|result outcome finding lead|resume restart continue start begin
retire leave|retry again attempt|return give come back|return give yield back|reuse use|revenue income turnover sales|review look
rich wealthy|rinse wash flush|road street|rock stone|role part|route way path|run operate go work last function|safe secure
salary pay wage|sale sell|same identical unchanged equal|sample specimen|satisfy meet|scatter spread|schedule plan timetable
scholar researcher|scientist researcher|sculptor artist|sea ocean|search look|see find notice|seek look|separate split|serious severe
server host machine|set put place lay turn|setting option|settlement village town|several some|share part portion proportion
shortage lack|shortly soon|show display indicate demonstrate reveal|shut close closure|sign mark signature|sign trace mark
silent quiet|similar alike|single one|skeleton bone|soft tender|software program|sound noise|space room|speak talk|specie species kind
specify state require|spokesman spokesperson|staff personnel employee|stage phase step|stand be|stir mix add
stop halt pause cease end quit|storage store|store keep shop|storm gale|straight direct directly|stream brook
study examine research trial|submit hand send|substitute replace stand cover|succeed follow|suffer prone|supplier vendor
support help back|surgeon doctor|survey study|sweep wash carry|symptom sign|tablet pill|take carry bring last require need|target aim
teach instruct train|teacher instructor|technique method|tell inform say|tender bid offer|term condition period|terminate end
test trial check|therefore so|think believe|throughout during|throw cast|tiny small|top peak maximum|total sum all overall
transform change|trek hike walk|trigger cause|truck lorry vehicle|turn change become go rotate switch|unable cannot
unaltered unchanged same|undo reverse|up above|upgrade update|upward up|user person|usual normal common|usually normally generally
utilise use|vacant empty|vaccine jab|value worth|various several|verdict ruling decision|want wish need|wash rinse clean sweep
water irrigate|way manner method|weigh weight|wide broad|withdraw remove|without lacking|wood timber|work operate function run job
write draw|yield give produce crop
"""
"""Groups that are parted by | and line ends."""

_OPPOSED = """
able unable|above below under|accept refuse reject|acquit convict|add remove|agree disagree|alive dead|all none|allow forbid
always never|approve reject refuse|arrival departure|arrive depart leave|ascending descending|attack defend|before after|begin end
beginning end|best worst|better worse|big small|bigger smaller|birth death|boiling cold|bow stern|boy girl|brother sister
build demolish destroy|buy sell|buyer seller|calm rough stormy|car bus train|cheap dear expensive costly|cheaper dearer expensive
clean dirty|clockwise anticlockwise|connect disconnect|correct wrong incorrect|day night|debit credit|deep shallow|doctor patient
domestic foreign|drug placebo|earlier later|earliest latest|early late|employer employee|enable disable|enter leave|equal unequal
exceed below|faster slower|father mother|fewer more|fill empty|first last|for against|freeze melt|freezer fridge|fresh stale
front back rear|full empty|gain lose|give take|glass plastic|gold silver bronze|greater smaller lesser|gross net|grow shrink fall
guilty innocent|hard soft|harder softer|head foot|healthy unhealthy|heavier lighter|heavy light|high low|higher lower|highest lowest
hire dismiss|horizontal vertical|hot cold|hottest coldest|hourly daily weekly monthly yearly|husband wife|import export|improve worsen
in out|include exclude|income expenditure|increase decrease reduce fall drop|indoor outdoor|inferior superior|inlet outlet|inner outer
inside outside|install remove|intake outlet|internal external|iron steel copper
january february march april may june july august september october november december|keep lose|known unknown|landlord tenant
large small|larger smaller|largest smallest|left right|legal illegal|lend borrow|lengthen shorten|light dark|live die|load unload
lock unlock|long short|longer shorter|longest shortest|loud quiet|love hate|major minor|majority minority|male female|man woman
many few|maximum minimum|men women|minute hour|monday tuesday wednesday thursday friday saturday sunday weekday weekend
more less fewer|morning evening afternoon|most least fewest|mute restore|nearest farthest|new old|newest oldest|north south east west
northeast northwest southeast southwest|northern southern eastern western|northward southward|odd even|often rarely seldom|oil water
older younger|on off|open close shut|opened closed|optional mandatory compulsory|over under below|paid unpaid|parent child
partial complete|pass fail|plaintiff defendant|possible impossible|present absent|profit loss|public private|push pull|question answer
raise lower cut reduce|raw cooked|red blue green yellow brown black white grey orange purple pink|retain remove lose|right wrong
rise fall drop decline decrease|safe unsafe dangerous|salt sugar|save waste|shade sun|single married|slow fast quick
slowly quickly rapidly|smooth rough|son daughter|spring summer autumn winter|start stop finish|stay leave|strengthen weaken
stronger weaker|succeed fail|success failure|sun shade|sunny shady|support oppose|surplus deficit|tall short|teacher pupil student
temporary permanent|thick thin|thicker thinner|tighten loosen|top bottom|treatment control|true false|unanimous divided|uncle aunt
up down|upheld overturned|uphill downhill|uphold overturn quash|upper lower|upstream downstream|urban rural|vegetarian meat
visible invisible|voluntary compulsory|warm cold cool|warmer colder cooler|wet dry|wetter drier|wettest driest|wide narrow
widen narrow|win lose|with without|wood metal stone brick|wool cotton|young old
"""


def _others(listed: str, with_forms: bool) -> dict[str, frozenset[str]]:
    """Of each word's keys, those of the others of its groups; a word's own keys are left out, or not."""
    out: defaultdict[str, set[str]] = defaultdict(set)
    for group in listed.replace("\n", "|").split("|"):
        every = [keys(word) for word in group.split()]
        for own in every:
            for key in own:
                out[key] |= frozenset().union(*every) - (frozenset() if with_forms else own)
    return {key: frozenset(found) for key, found in out.items()}


_BESIDE, _AGAINST = _others(_ALIKE, with_forms=True), _others(_OPPOSED, with_forms=False)


def may_stand_for(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two words, given by their keys, are in a group."""
    return any(_BESIDE.get(key, frozenset()) & other for key in one)


def are_opposed(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two words exclude each other."""
    return any(_AGAINST.get(key, frozenset()) & other for key in one)
