/* The lattice model of Science Advances 10, eadj2630 (2024), written down as it is told: the yardstick for speed and numbers.
 *
 *   plain_kmc ALPHA TAU_PULSE_US N_PULSES SEED
 *
 * prints, after every pulse, the number of excitons and the sum of their squared distances from the centre (in sites)
 * at the pulse and 1000 steps later.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 1000, CENTRE = 500, STEPS_TO_COMPARE = 1000 };
static const double SIGMA = 10.62, P_FAST = 0.7, P_SLOW = 0.006, P_DECAY = 4e-4, TAU_RELAX_US = 8.1;

static uint8_t is_fast[SIZE][SIZE], is_occupied[SIZE][SIZE];
static int row[SIZE * SIZE], column[SIZE * SIZE];
static uint64_t s[4];

static inline uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

/* xoshiro256+ of Blackman and Vigna: a uniform double in [0, 1). */
static inline double uniform(void)
{
    const uint64_t result = s[0] + s[3], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return (double)(result >> 11) * 0x1p-53;
}

static void seed(uint64_t x)
{
    for (int i = 0; i < 4; i++) { /* splitmix64 */
        uint64_t z = (x += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        s[i] = z ^ (z >> 31);
    }
}

static int excite(double alpha)
{
    const int reach = 75; /* sites; exp(-reach^2 / 2 sigma^2) is 1e-11 */
    int n = 0;
    for (int i = CENTRE - reach; i <= CENTRE + reach; i++)
        for (int j = CENTRE - reach; j <= CENTRE + reach; j++) {
            const double r2 = (i - CENTRE) * (i - CENTRE) + (j - CENTRE) * (j - CENTRE);
            if (uniform() < alpha * exp(-r2 / (2 * SIGMA * SIGMA))) {
                row[n] = i;
                column[n] = j;
                n++;
                is_occupied[i][j] = is_fast[i][j] = 1;
            }
        }
    return n;
}

static void hop(int k)
{
    static const int d_row[4] = {1, -1, 0, 0}, d_column[4] = {0, 0, 1, -1};
    const int direction = (int)(4 * uniform());
    const int i = row[k] + d_row[direction], j = column[k] + d_column[direction];
    if (i < 0 || i >= SIZE || j < 0 || j >= SIZE || is_occupied[i][j])
        return;
    if (uniform() < (is_fast[i][j] ? P_FAST : P_SLOW)) {
        is_occupied[row[k]][column[k]] = 0;
        is_occupied[i][j] = is_fast[i][j] = 1;
        row[k] = i;
        column[k] = j;
    }
}

static int decay(int n)
{
    int left = 0;
    for (int k = 0; k < n; k++) {
        if (uniform() < P_DECAY) {
            is_occupied[row[k]][column[k]] = 0;
        } else {
            row[left] = row[k];
            column[left] = column[k];
            left++;
        }
    }
    return left;
}

static void relax(double tau_pulse_us)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            if (is_fast[i][j] && -TAU_RELAX_US * log(1 - uniform()) <= tau_pulse_us)
                is_fast[i][j] = 0;
}

static double sum_of_squares(int n)
{
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += (row[k] - CENTRE) * (row[k] - CENTRE) + (column[k] - CENTRE) * (column[k] - CENTRE);
    return sum;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: plain_kmc ALPHA TAU_PULSE_US N_PULSES SEED\n");
        return 2;
    }
    const double alpha = atof(argv[1]), tau_pulse_us = atof(argv[2]);
    const int n_pulses = atoi(argv[3]);
    long long exciton_steps = 0;
    seed(strtoull(argv[4], NULL, 10));
    for (int pulse = 0; pulse < n_pulses; pulse++) {
        int n = excite(alpha);
        int n_late = 0;
        const int n_early = n;
        const double early = sum_of_squares(n);
        double late = 0;
        for (int step = 1; n > 0; step++) {
            exciton_steps += n;
            for (int k = 0; k < n; k++)
                hop(k);
            n = decay(n);
            if (step == STEPS_TO_COMPARE) {
                n_late = n;
                late = sum_of_squares(n);
            }
        }
        relax(tau_pulse_us);
        printf("%d %.0f %d %.0f\n", n_early, early, n_late, late);
    }
    fprintf(stderr, "%lld\n", exciton_steps);
    return 0;
}
