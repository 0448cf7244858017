// Pages with a form that takes transcripts made elsewhere.

import './again.js';
import './folded.js';
import './table.js';
