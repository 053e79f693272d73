//! What a statement does, as data: the plan, the planner and its explanation.
