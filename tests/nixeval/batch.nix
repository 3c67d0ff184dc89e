# Answers many questions in one run: a list of eval.nix's arguments as JSON.
{ questions }: map (import ./eval.nix) (builtins.fromJSON questions)
