"""Names for a town that does not exist: streets, bridges, quarters, and the people who live there. Lists, no logic."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


TOWNS = ("Vale da Ponte", "Santa Marinha", "Aldeia do Cais", "Porto Novo do Sul", "Vila Serena", "Ribeira Grande")

RIVERS = ("Rio Alva", "Rio Cávora", "Rio Mondim", "Rio Sereno")

BRIDGES = ("Ponte de São Roque", "Ponte Nova", "Ponte da Rainha", "Ponte do Mercado", "Ponte dos Arcos")

QUARTERS = (
    "Baixa",
    "Alto da Vila",
    "Além-Rio",
    "São Tiago",
    "Boavista",
    "Campo Grande",
    "Olival",
    "Bonfim",
)

PARKS = (
    "Jardim da Cordoaria",
    "Parque das Tílias",
    "Jardim do Coreto",
    "Parque da Fonte",
    "Jardim das Camélias",
    "Parque do Moinho",
)

QUAYS = (
    "Cais da Ribeira",
    "Cais das Pedras",
    "Cais dos Pescadores",
    "Cais do Carvão",
    "Cais da Alfândega",
    "Cais do Sal",
    "Cais das Barcas",
    "Cais da Estiva",
    "Cais do Norte",
    "Cais de Gaia Velha",
)

AVENUES = (
    "Avenida da Liberdade",
    "Avenida dos Plátanos",
    "Avenida do Mar",
    "Avenida da República Velha",
    "Avenida das Descobertas",
    "Avenida do Comércio",
    "Avenida Marquês de Alva",
    "Avenida da Estação",
    "Avenida dos Combatentes",
    "Avenida do Parque",
    "Avenida Sofia de Lencastre",
    "Avenida da Ponte",
    "Avenida do Infante",
    "Avenida das Nações",
    "Avenida de Santa Catarina",
    "Avenida do Progresso",
    "Avenida Dona Leonor",
    "Avenida do Oriente",
    "Avenida da Boa Esperança",
    "Avenida dos Aliados Novos",
)

RINGS = (
    "Circunvalação Norte",
    "Circunvalação Nascente",
    "Circunvalação Sul",
    "Circunvalação Poente",
    "Circunvalação da Quinta",
    "Circunvalação do Monte",
    "Circunvalação do Rio",
    "Circunvalação das Hortas",
)

STREETS = tuple(
    f"{kind} {name}"
    for kind, names in (
        (
            "Rua",
            "da Alegria|da Boa Hora|da Cerca|da Conceição|da Fábrica|da Firmeza|da Harmonia|da Junqueira|da Lapa|"
            "da Madalena|da Misericórdia|da Moeda|da Murta|da Nogueira|da Oliveira|da Padaria|da Palma|"
            "da Picaria|da Prata|da Quintã|da Rosa|da Saudade|da Senhora-a-Branca|da Torrinha|da Trindade|"
            "da Videira|da Vitória|das Amendoeiras|das Flores|das Oliveiras|das Taipas|das Virtudes|"
            "de Aurélia de Sousa|de Belomonte|de Camilo Pessanha|de Cedofeita|de Dom João de Castro|"
            "de Entreparedes|de Gil Vicente|de Latino Coelho|de Miguel Torga|de Passos Manuel|de Sá da Bandeira|"
            "de Santa Clara|de Santa Luzia|de Santo Ildefonso|de São Bento|de São Brás|de São Dinis|"
            "de São João Novo|de São Lázaro|de São Miguel|de São Vítor|de Trás da Sé|do Almada|do Bolhão|"
            "do Bom Sucesso|do Breiner|do Cativo|do Comércio Velho|do Duque de Loulé|do Farol|do Forno Velho|"
            "do Heroísmo|do Lagar|do Loureiro|do Mirante|do Moinho de Vento|do Paraíso|do Pinheiro Manso|"
            "do Poço das Patas|do Rosário|do Salitre|do Sol|do Souto|do Vilar|dos Açougues|dos Bragas|"
            "dos Caldeireiros|dos Canastreiros|dos Douradores|dos Ferreiros|dos Mártires|dos Navegantes|"
            "dos Oleiros|dos Pelames|dos Remédios|dos Sapateiros|dos Tanoeiros|dos Vidreiros|Aníbal Cunha|"
            "Augusto Rosa|Chã de Cima|Clara Andermatt|Fernando Namora|Florbela Espanca|Formosa|Gonçalo Cristóvão|"
            "Guilhermina Suggia|Joaquim António de Aguiar|Nova do Almocreve|Sophia Andresen",
        ),
        (
            "Travessa",
            "da Bainharia|da Carvalhosa|da Cadeia|da Figueira|da Póvoa|das Águas|das Almas|das Mónicas|"
            "de Cimo de Vila|de São Carlos|do Anjo|do Barredo|do Cano|do Carregal|do Ferraz|do Grilo|do Outeiro|"
            "do Poço|dos Congregados|dos Gatos",
        ),
        (
            "Calçada",
            "da Arrábida|da Boa Viagem|da Corticeira|da Graça|da Serra|da Teresa|das Carquejeiras|de Monchique|"
            "do Monte|do Rego",
        ),
        ("Alameda", "das Fontainhas|das Magnólias|de Basílio Teles|dos Jacarandás|dos Ulmeiros"),
        ("Beco", "da Ferraria|das Cruzes|do Bispo|do Mirador|dos Redemoinhos"),
    )
    for name in _words(names)
)

PEOPLE = _words(
    "Amara Okafor|Aiko Tanabe|Ana Lúcia Prates|Anders Holm|Aoife Brennan|Beatriz Moura|Bilal Chaudhry|"
    "Bruno Sarmento|Camille Roux|Carmen Ibáñez|Chen Yulan|Chiara Lombardi|Daan Vermeer|Daniela Sequeira|"
    "Dilara Aydin|Duarte Teles|Ebba Sjöström|Eduardo Pinho|Efua Mensah|Elif Korkmaz|Emil Novák|"
    "Esther van Dijk|Farid Haddad|Fatoumata Diallo|Filipa Antunes|Francesca Greco|Goran Petrović|"
    "Grace Wanjiru|Hana Yoshida|Helena Brito|Hugo Lacerda|Ibrahim Touré|Ida Lindqvist|Ines Weber|"
    "Iolanda Reis|Isak Berg|Jade Thompson|Jan Kowalczyk|Joana Veloso|Jorge Esteves|Kamala Iyer|"
    "Kenji Mori|Klara Hoffmann|Kwame Boateng|Laila Rahman|Leonor Castanheira|Liam Gallagher|Linnea Dahl|"
    "Lourenço Abreu|Luca Ferri|Magda Nowak|Manuel Quintela|Mariam Keita|Marta Fontes|Matilde Rocha|"
    "Mei-Ling Zhao|Mihai Ionescu|Milena Horvat|Nadia Bensalem|Nikos Pappas|Noor Jansen|Nuno Barroso|"
    "Olga Marchenko|Omar Siddiqui|Paloma Vidal|Paulo Salgueiro|Petra Zeman|Priya Raman|Quitéria Lobo|"
    "Rafael Monteiro|Rosa Cardoso|Ruth Abebe|Salomé Neves|Samuel Adeyemi|Sara Lindgren|Selma Kurt|"
    "Sofie Maes|Stefan Radu|Sushila Gurung|Tânia Fialho|Thandiwe Nkosi|Theo Marchetti|Tomás Bicho|"
    "Ulrike Baumann|Valentina Rossi|Vasco Mourão|Veera Laine|Wiktor Mazur|Xenia Tzara|Xiomara Peña|"
    "Yara Mansour|Youssef Amrani|Zélia Torres|Zuzana Králová"
)

ITEMS = _words(
    "Book parcel|Box of wine, 6 bottles|Coffee beans, 2 kg|Cycle tyre|Desk lamp|Dog food, 12 kg|"
    "Flower bouquet|Garden hose|Gift basket|Kitchen scales|Laptop bag|Medicine, keep cool|Office paper|"
    "Olive oil, 5 l|Picture frame|Printer|Running shoes|School supplies|Sewing machine|Small parcel|"
    "Spare part|Tea set|Toaster|Toy box|Winter coat"
)

INSTRUCTIONS = (
    "Blue door, don't ring",
    "Ring twice, deaf dog",
    "Second floor, left",
    "Leave with the porter before ten",
    "Side entrance through the garden gate",
    "Call on arrival, bell is broken",
    "Beware of the step",
    "Shop counter, ask for the owner",
    "Do not leave in the rain",
    "Baby sleeps: knock softly",
)
