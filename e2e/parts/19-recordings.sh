# shellcheck shell=bash
# Five failures of the rehearsal, from the first screen to the end, in French: the recordings of the manual.

new_person recordings
PERSON_LOCALE=fr_FR.UTF-8

# rehearse FAULT: the demo up to the test of sending.
rehearse() {
  open_terminal
  start_in_terminal demo --fault "$1"
  wait_for "mot de passe à taper"
  secret=$(screen | grep -oE '[a-z]{4}(-[a-z]{4}){3}' | head -n 1)
  press Enter
  scene "postier demo --fault $1" "Étape 1/12"
  press Enter
  wait_for "Étape 2/12"
  scene "Entrée" "Poste Démo"
  press Enter
  scene "Entrée" "Étape 4/12"
  press Enter
  scene "Entrée" "Étape 5/12"
  paste_text "$secret"
  press Enter
}

# to_the_end TEXT: the domain, the test message with what it shows, the options, the review, saved.
to_the_end() {
  press Enter
  wait_for "Étape 8/12"
  scene "Entrée" "Entrée M"
  press Enter
  wait_for "Étape 9/12"
  scene "Entrée" "$1" 60
  press Enter
  scene "Entrée" "Étape 10/12"
  press Enter
  scene "Entrée" "Étape 11/12"
  press Enter
  scene "Entrée" "Étape 12/12"
  press Enter
  wait_for "exit 0"
  close_terminal
}

record port-465 "Le port 465 est bloqué : 587 fonctionne, et Entrée le prend."
rehearse port-465-blocked
scene "mot de passe, Entrée" "Utiliser ce réglage" 90
press Enter
scene "Entrée" "Le serveur prend votre courrier"
press Enter
wait_for "Étape 7/12"
scene "Entrée" "seront classées dans le dossier" 60
to_the_end "est arrivé et a été retrouvé"
recorded

record junk "Le message d'essai arrive en indésirables : ce qui se porte garant, et quoi faire."
rehearse junk
scene "mot de passe, Entrée" "Le serveur prend votre courrier" 60
press Enter
wait_for "Étape 7/12"
scene "Entrée" "seront classées dans le dossier" 60
to_the_end "E-148"
recorded

record sent-folder "La boîte n'a pas de dossier pour les messages envoyés : Entrée le crée."
rehearse no-sent-folder
scene "mot de passe, Entrée" "Le serveur prend votre courrier" 60
press Enter
wait_for "Étape 7/12"
scene "Entrée" "Créer un dossier" 60
press Enter
scene "Entrée" "seront classées dans le dossier" 60
to_the_end "est arrivé et a été retrouvé"
recorded

record suspended "Le compte est bloqué : un service d'envoi à la place, ou s'arrêter et revenir."
rehearse account-suspended
scene "mot de passe, Entrée" "A-17" 60
press v
scene "v" "Brevo"
press Escape
wait_for "Poste Démo"
press Enter
wait_for "Étape 4/12"
press Enter
wait_for "Étape 5/12"
press Enter
scene "Échap, puis Entrée jusqu'à l'étape 6" "A-17"
press l
scene "l" "Quitter maintenant"
press Enter
wait_for "exit "
close_terminal
recorded

record hotmail "Une adresse Hotmail sans identifiant d'application : une autre adresse, dans le domaine du magasin."
open_terminal
start_in_terminal setup marie@hotmail.com
scene "postier setup marie@hotmail.com" "Étape 1/12"
press Enter
scene "Entrée" "Hotmail"
press Enter
scene "Entrée" "Étape 1/12"
press C-u
type_text "$USER_GOOD"
press Enter
wait_for "_submissions._tcp.postier.test"
scene "l'adresse du magasin, Entrée" "Saisir les serveurs à la main"
press Enter
scene "Entrée" "Étape 5/12"
paste_text "$PASSWORD"
press Enter
scene "mot de passe, Entrée" "Le serveur prend votre courrier" 60
press Enter
wait_for "Étape 7/12"
scene "Entrée" "seront classées dans le dossier" 60
to_the_end "Entrée Continuer"
recorded
