// SPDX-License-Identifier: MIT
// Which Duomo this is.
#pragma once

#define VERSION "0.1"
