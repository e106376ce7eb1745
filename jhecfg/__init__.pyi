from jhecfg.api import Artifact as Artifact
from jhecfg.api import Build as Build
from jhecfg.api import Change as Change
from jhecfg.api import Comparison as Comparison
from jhecfg.api import Diagnostic as Diagnostic
from jhecfg.api import Refused as Refused
from jhecfg.api import Severity as Severity
from jhecfg.api import Span as Span
from jhecfg.api import SpecError as SpecError
from jhecfg.api import ToolError as ToolError
from jhecfg.api import compare as compare
from jhecfg.api import compile as compile
from jhecfg.api import write as write

__version__: str
