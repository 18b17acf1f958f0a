#!/bin/sh
# Shared by what asks in processes of their own what may hang for ever.

# Waits at most $1 seconds for the processes in $waiting (`PID:NAME …`) and leaves there those that have not ended.
wait_for() {
  rounds=0
  while [ -n "$waiting" ]; do
    alive=
    for entry in $waiting; do
      line='0 () Z'
      { read -r line <"/proc/${entry%%:*}/stat"; } 2>/dev/null || line='0 () Z'
      # A finished child that nobody has waited for is a zombie.
      case ${line##*) } in
        Z* | X*) ;;
        *) alive="$alive $entry" ;;
      esac
    done
    waiting=$alive
    if [ -z "$waiting" ] || [ "$rounds" -ge "$(($1 * 10))" ]; then break; fi
    rounds=$((rounds + 1))
    sleep 0.1 2>/dev/null || {
      sleep 1
      rounds=$((rounds + 9))
    }
  done
}
