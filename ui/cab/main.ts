import '../kit/tokens.css'
import '../kit/type.css'
