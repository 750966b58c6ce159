"""Made from `ui/kit/tokens.css` by `python -m scripts.generate`: the roles that the sign-in page uses."""

TOKENS = """\
:root {
  color-scheme: light;
  --ground: #edf0ef;
  --surface: #ffffff;
  --ink: #10171e;
  --ink2: #44505b;
  --line: #cbd3d4;
  --edge: #74818b;
  --route: #1a4db8;
  --primary: #12367f;
  --on-plate: #ffffff;
  --late: #a81420;
  --late-tint: #fbe6e5;
  --primary-border: 0 solid transparent;
  --font: 'Encode Sans Variable', system-ui, sans-serif;
  --width: 87.5%;
  --radius: 10px;
  --radius-small: 6px;
  --console-pad: 20px;
  --control-touch: 44px;
  --size-console: 15px;
  --size-console-second: 14px;
  --size-console-title: 21px;
}
@media (prefers-color-scheme: dark) {
:root {
  color-scheme: dark;
  --ground: #0b1015;
  --surface: #141b22;
  --ink: #efe8d9;
  --ink2: #a9b1b4;
  --line: #2b3640;
  --edge: #6e7c88;
  --route: #7da7ff;
  --primary: #1e4091;
  --on-plate: #f8f1e1;
  --late: #ff8580;
  --late-tint: #351a1c;
  --primary-border: 3px solid var(--route);
}
}
"""
